/* SPDX-License-Identifier: MIT */
/*
 * A service's own recorder: one call starts it, and what the service did last is on disk when it
 * dies.
 *
 * The recording is kept by another process, the keeper (the `flightrec` program), which holds the
 * rings and outlives the service by as long as writing a snapshot takes. A service that ends
 * normally leaves neither file nor process. With the right to record (root or CAP_PERFMON, and
 * access to tracefs) the keeper sees what the kernel does and how a crash happened. Without it the
 * service writes its events into memory that the keeper holds, and of its death the keeper knows
 * the signal alone. A service can use a privileged `flightrec record --listen SOCKET` instead.
 */
#ifndef FLIGHTREC_RECORDER_H
#define FLIGHTREC_RECORDER_H

#include <stddef.h>
#include <stdint.h>

#define FREC_PUBLIC __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

struct frec_recorder;

struct frec_recorder_options {
	size_t size; /* sizeof(struct frec_recorder_options) */
	/* where snapshots go; NULL: the working folder. Made when missing */
	const char *folder;
	/* bytes per CPU, a power of two from 64 KiB to 1 GiB; 0: 4 MiB */
	uint64_t ring_size;
	/* what to record, as for `flightrec record -e`, ended by NULL; NULL: every user event */
	const char *const *events;
	/* bytes: the oldest snapshots in `folder` make room for new ones; 0: 1 GiB */
	uint64_t quota;
	/* path of the flightrec program; NULL: where it was installed, then PATH */
	const char *keeper;
	/* of a `flightrec record --listen`: used instead of a keeper. The options above are then
	 * the recorder's business */
	const char *socket;
	/* one sentence when the start fails, always ended by NUL; may be NULL */
	char *error;
	size_t error_size;     /* bytes at `error` */
	const char *transport; /* as for `flightrec record --transport`; NULL: "auto" */
	/* not 0: as `flightrec record --guard`; does nothing where the CPU has no protection
	 * keys */
	uint32_t guard;
	/* as `flightrec record --stack=BYTES`, up to 65528; 0: stacks for events that ask for
	 * them */
	uint64_t stack_bytes;
	uint32_t drop_stack_bytes; /* not 0: as `flightrec record --drop-stack-bytes` */
};

/*
 * Starts recording. When it returns 0 the selected events are on: nothing emitted from here on is
 * lost. NULL options are the defaults. Blocks while the keeper starts, tens of milliseconds, 10 s
 * at most. One recorder a process.
 *
 * Returns 0, or a negative errno, and *ret is written only on success:
 *	-EALREADY	this process has a recorder, or writes its events into the memory of
 *			`flightrec run`
 *	-EINVAL		options of a later version, or out of range
 *	-ENOENT		no keeper program, or nobody listens at `socket`
 *	-EPERM, -EACCES, -ENOTSUP, ...	the recorder cannot work here; `error` tells why and what to
 *					do
 *	-ETIMEDOUT	the recorder did not answer
 * Not for signal handlers. Starts no thread, installs no handler, leaves no child process; every
 * descriptor is close-on-exec. After fork() the child is recorded too, by the same recorder, as
 * long as its parent lives.
 */
FREC_PUBLIC int frec_recorder_start(const struct frec_recorder_options *options,
				    struct frec_recorder **ret);

/*
 * Asks for a snapshot named `name` (1 to 100 printable characters). Returns at once: events emitted
 * before the call are in it. From any thread, also in a signal handler; does not allocate, block or
 * change errno. Returns 0, -ENOTCONN without a recorder, -EINVAL for the name, -EAGAIN when too
 * many are waiting already.
 */
FREC_PUBLIC int frec_trigger(const char *name);

/*
 * Ends the recording; snapshots that were asked for are finished first. Blocks until the keeper is
 * gone, 10 s at most. NULL is fine. Not while another thread starts or stops a recorder.
 */
FREC_PUBLIC void frec_recorder_stop(struct frec_recorder *recorder);

#ifdef __cplusplus
}
#endif

#endif
