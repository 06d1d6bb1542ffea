/* SPDX-License-Identifier: MIT */
/*
 * A service's own recorder: one call starts it, and after the service has died, what it did last is
 * on disk.
 *
 * Another process keeps the recording: the keeper (the `flightrec` program). It holds the rings and
 * outlives the service while it writes a snapshot. A service that ends normally leaves neither file
 * nor process. If the keeper has the right to record (root or CAP_PERFMON, and access to tracefs),
 * it sees what the kernel does and how a crash happened. Without that right the service writes its
 * events into memory that the keeper holds, and all that the keeper learns of the service's death
 * is the signal. A service can use a privileged `flightrec record --listen SOCKET` instead.
 *
 * A process has at most one recorder: the recorder holds the enable words of the process's events,
 * of which there is one set. This is why frec_trigger() takes no handle: any code of the process, a
 * library or a signal handler, can ask for a snapshot without being handed one. The handle belongs
 * to the code that started the recorder, which alone may stop it.
 */
#ifndef FLIGHTREC_RECORDER_H
#define FLIGHTREC_RECORDER_H

#include <stddef.h>
#include <stdint.h>

#include <flightrec/version.h>

#ifdef __cplusplus
extern "C" {
#endif

struct frec_recorder;

/* All members but `size` may be 0. Nothing that they point to is used after frec_recorder_start()
 * has returned. */
struct frec_recorder_options {
	size_t size; /* sizeof(struct frec_recorder_options) */
	/* where snapshots go; NULL: the working folder. It is made if it is missing */
	const char *folder;
	/* bytes for each CPU, a power of two from 64 KiB to 1 GiB; 0: 4 MiB */
	uint64_t ring_size;
	/* what to record, as for `flightrec record -e`, ended by NULL; NULL: all user events */
	const char *const *events;
	/* bytes of snapshots in `folder`; the oldest are deleted for new ones; 0: 1 GiB */
	uint64_t quota;
	/* path of the flightrec program; NULL: where it was installed, then PATH */
	const char *keeper;
	/* the socket of a `flightrec record --listen`, which is used instead of a keeper. The other
	 * options but `error` are then ignored, because that recorder has its own */
	const char *socket;
	/* an out-buffer of the caller: one sentence if the start fails, always ended by NUL. It is
	 * in here, and not a parameter, so that callers who do not want it need not pass it. NULL:
	 * none */
	char *error;
	size_t error_size;     /* bytes at `error` */
	const char *transport; /* as for `flightrec record --transport`; NULL: "auto" */
	/* not 0: as `flightrec record --guard`; has no effect if the CPU has no protection keys */
	uint32_t guard;
	/* as `flightrec record --stack=BYTES`, up to 65528; 0: stacks for events that ask for
	 * them */
	uint64_t stack_bytes;
	uint32_t drop_stack_bytes; /* not 0: as `flightrec record --drop-stack-bytes` */
};

/*
 * Starts recording. When it returns 0 the selected events are on, and no event emitted from then on
 * is lost. NULL options are the defaults. Blocks while the keeper starts: tens of milliseconds, 10
 * s at most. Each process can have one recorder.
 *
 * Returns 0, or a negative errno; *ret is written only on success:
 *	-EALREADY	this process has a recorder, or writes its events into the memory of
 *			`flightrec run`
 *	-EINVAL		the options are of a later version, or out of range
 *	-ENOENT		there is no keeper program, or nothing listens at `socket`
 *	-EPERM, -EACCES, -ENOTSUP, ...	the recorder cannot work here; `error` says why, and what
 *					to do
 *	-ETIMEDOUT	the recorder did not answer
 * Any thread may call it, but no two at the same time, and no signal handler. Starts no thread,
 * installs no handler and leaves no child process; its descriptor is close-on-exec. After fork()
 * the same recorder records the child as well, as long as the parent lives.
 */
FREC_PUBLIC int frec_recorder_start(const struct frec_recorder_options *options,
				    struct frec_recorder **ret);

/*
 * Asks the recorder of this process for a snapshot named `name` (1 to 100 printable ASCII
 * characters). Returns at once; the snapshot has all events emitted before the call. Any thread and
 * any signal handler may call it; it does not allocate, block or change errno. Returns 0, -ENOTCONN
 * without a recorder of frec_recorder_start(), -EINVAL for a bad name, -EAGAIN if too many requests
 * wait already.
 */
FREC_PUBLIC int frec_trigger(const char *name);

/*
 * Stops the recorder, after it has written the snapshots that were asked for. Blocks until the
 * keeper is gone, 10 s at most. NULL is allowed. Not while another thread starts or stops a
 * recorder, and not in a signal handler.
 */
FREC_PUBLIC void frec_recorder_stop(struct frec_recorder *recorder);

#ifdef __cplusplus
}
#endif

#endif
