/* SPDX-License-Identifier: MIT */
/*
 * A service's own recorder: one call starts it, and after the service has died, what the service
 * did last is on disk.
 *
 * Another process keeps the recording: the keeper (the `flightrec` program). It holds the rings,
 * and outlives the service for long enough to write a snapshot. A service that ends normally leaves
 * neither a file nor a process behind. If the keeper has the right to record (root or CAP_PERFMON,
 * and access to tracefs), it sees what the kernel does and how a crash happened. Without that right
 * the service writes its events into memory that the keeper holds, and all that the keeper learns
 * of the service's death is the signal. Instead of a keeper, a service can use a privileged
 * `flightrec record --listen SOCKET`.
 *
 * A process has at most one recorder, because each of its events has only one enable word, which
 * the recorder controls. This is why frec_trigger() takes no handle: any code of the process, such
 * as a library or a signal handler, can ask for a snapshot. The handle belongs to the code that
 * started the recorder, which alone may stop it.
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
	/* where snapshots go, made if it is missing; NULL: the working folder */
	const char *folder;
	/* bytes for each CPU, a power of two from 64 KiB to 1 GiB; 0: 4 MiB, or what an eighth of
	 * the memory limit of a container holds */
	uint64_t ring_size;
	/* what to record, as for `flightrec record -e`, ended by NULL; NULL: all user events */
	const char *const *events;
	/* the most bytes of snapshots in `folder`: the oldest are deleted to make room for new
	 * ones; 0: 1 GiB */
	uint64_t quota;
	/* path of the flightrec program; NULL: where it was installed, then PATH */
	const char *keeper;
	/* the socket of a `flightrec record --listen`, which is used instead of a keeper. All other
	 * options except `error` are then ignored, because that recorder has its own */
	const char *socket;
	/* a buffer of the caller for one sentence, ended by NUL, that says why the start failed;
	 * NULL: none. It is an option, and not a parameter, so that callers who do not want it need
	 * not pass it */
	char *error;
	size_t error_size;     /* bytes at `error` */
	const char *transport; /* as for `flightrec record --transport`; NULL: "auto" */
	/* not 0: as `flightrec record --guard`; has no effect if the CPU has no protection keys */
	uint32_t guard;
	/* as `flightrec record --stack=BYTES`, up to 65528; 0: only events for which `events` asks
	 * for stacks have them */
	uint64_t stack_bytes;
	uint32_t drop_stack_bytes; /* not 0: as `flightrec record --drop-stack-bytes` */
};

/*
 * Starts recording. When it returns 0, the selected events are on, and no event emitted from then
 * on is lost. If `options` is NULL, all options have their defaults. Blocks while the keeper
 * starts: tens of milliseconds, 10 s at most. Each process can have one recorder.
 *
 * Returns 0, or a negative errno, and writes *ret only if it returns 0:
 *	-EALREADY	this process has a recorder, or was forked from one that has, or writes its
 *			events into the memory of `flightrec run`
 *	-EINVAL		the options are of a later version
 *	-ENOENT		there is no keeper program, or no file `socket`
 *	-ECONNREFUSED	nothing listens at `socket`
 *	-EPERM, -EACCES, -ENOTSUP, ...	the recorder cannot work here; `error` says why, and what
 *					to do
 *	-EPIPE		the keeper ended at once, for example because an option is out of range, or
 *			the recorder at `socket` hung up
 *	-ETIMEDOUT	the recorder did not answer
 * Any thread may call this, but no two at the same time, and no signal handler. It starts no
 * thread, installs no handler and leaves no child process; its descriptor is close-on-exec.
 *
 * After fork() the same recorder records the child as well, until the last process of the service
 * has ended. So a recorder can be started before a service becomes a daemon or gives up its rights,
 * or afterwards, with the rights that are left. A keeper takes over neither the limits of the
 * service nor its scheduling, control groups, signals, or descriptors other than stderr.
 */
FREC_PUBLIC int frec_recorder_start(const struct frec_recorder_options *options,
				    struct frec_recorder **ret);

/*
 * Asks the recorder of this process for a snapshot named `name` (1 to 100 printable ASCII
 * characters). Returns at once; the snapshot has all events emitted before the call. Any thread and
 * any signal handler may call this; it does not allocate, block or change errno. Returns 0,
 * -ENOTCONN if no recorder was started by frec_recorder_start(), -EINVAL for a bad name, or -EAGAIN
 * if too many requests wait already.
 */
FREC_PUBLIC int frec_trigger(const char *name);

/*
 * Stops the recorder. A keeper first writes the snapshots that were asked for; this blocks until it
 * is gone, 10 s at most. A recorder at `socket` goes on without this process, and so does a keeper
 * if this process was forked from the one that started it and that one lives. NULL is allowed. Must
 * not be called while another thread starts or stops a recorder, nor in a signal handler.
 */
FREC_PUBLIC void frec_recorder_stop(struct frec_recorder *recorder);

#ifdef __cplusplus
}
#endif

#endif
