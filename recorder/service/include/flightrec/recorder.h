/* SPDX-License-Identifier: MIT */
/*
 * A service's own recorder: one call starts it, and after the service has died, what the service
 * did last is on disk.
 *
 * Another process keeps the recording: the keeper (the `flightrec` program). It holds the rings,
 * and outlives the service for long enough to write a snapshot. A service that ends normally leaves
 * neither a file nor a process behind. Unless the kernel has user_events, the service writes its
 * events into memory that the keeper holds. If the keeper has the right to record (root or
 * CAP_PERFMON, and access to tracefs), it sees what the kernel does and how a crash happened.
 * Without that right, all that it learns about the service's death is the signal. Instead of a
 * keeper, a service can use a privileged `flightrec record --listen SOCKET`.
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

/* All members but `size` may be 0. Nothing that the members point to is used after
 * frec_recorder_start() has returned. */
struct frec_recorder_options {
	size_t size; /* sizeof(struct frec_recorder_options) */
	/* where snapshots go, made if it is missing; NULL: the working folder */
	const char *folder;
	/* bytes for each CPU, a power of two from 64 KiB to 1 GiB; 0: 4 MiB, or less, so that the
	 * rings fit into an eighth of a container's memory limit */
	uint64_t ring_size;
	/* what to record, as for `flightrec record -e`, ended by NULL; NULL: all user events */
	const char *const *events;
	/* the most bytes of snapshots in `folder`: the oldest are deleted to make room for new
	 * ones; 0: 1 GiB */
	uint64_t quota;
	/* path of the flightrec program; NULL: where it was installed, then PATH, which is not
	 * searched for a set-uid program or one with file capabilities */
	const char *keeper;
	/* the socket of a `flightrec record --listen`, which is used instead of a keeper. All other
	 * options except `error`, `tags` and `notify_fd` are then ignored, because that recorder
	 * has options of its own */
	const char *socket;
	/* a buffer of the caller for one sentence, ended by NUL, that says why the start failed;
	 * NULL: none. It is an option, and not a parameter, so that callers who do not want it need
	 * not pass it */
	char *error;
	size_t error_size; /* bytes at `error` */
	/* as for `flightrec run --transport`; NULL: "auto": user_events, else memory of the keeper
	 * (shm), else breakpoints (usdt). frec_recorder_transport() says which was chosen and
	 * why */
	const char *transport;
	/* not 0: as `flightrec run --guard`; the transport "auto" implies it. Has no effect if the
	 * CPU has no protection keys */
	uint32_t guard;
	/* as `flightrec record --stack=BYTES`, up to 65528; 0: only events for which `events` asks
	 * for stacks have them */
	uint64_t stack_bytes;
	uint32_t drop_stack_bytes; /* not 0: as `flightrec record --drop-stack-bytes` */
	/*
	 * Facts that every snapshot states about this service, such as "service.version=1.4.2",
	 * ended by NULL; NULL: nothing. Each is KEY=VALUE, with keys and values as for
	 * frec_trigger_pairs(); at most FREC_TRIGGER_PAIRS_MAX. Everybody who may list processes
	 * can read them, so they are no place for secrets. A recorder at `socket` puts them into
	 * its files as tags of this process and of its children that run the same program.
	 */
	const char *const *tags;
	/*
	 * Where to store a descriptor that becomes readable when a snapshot is finished (see struct
	 * frec_notice); NULL: none. It is written only if frec_recorder_start() returns 0. The
	 * descriptor is the caller's, who closes it, before or after frec_recorder_stop().
	 */
	int *notify_fd;
	/* milliseconds, at most 86400000: as `flightrec record --cooldown`; 0: 5000; see
	 * frec_trigger() */
	uint64_t cooldown_ms;
};

/*
 * A notice about a finished snapshot, which can be read from the descriptor `notify_fd`. When
 * poll(2) or epoll(7) reports the descriptor as readable,
 *
 *	struct frec_notice notice = {0};
 *	ssize_t n = read(fd, &notice, sizeof(notice));
 *
 * takes one whole notice, oldest first. `n` is -1 with EAGAIN if there is no notice, and 0 if the
 * recorder has ended. A recorder of another version may know fewer or more members: `size` says how
 * many bytes it wrote, and those that do not fit into the caller's structure are dropped.
 *
 * The descriptor is a socket: non-blocking, close-on-exec, and with a number of at least 512 if
 * RLIMIT_NOFILE allows. Whoever never reads costs the recorder nothing: about twenty notices are
 * kept, and later ones are dropped and counted in `missed`. After fork() parent and child have the
 * same descriptor, and each notice goes to whoever reads first, so all processes but one should
 * close it. A recorder at `socket` sends root and its own user notices of all its snapshots, and
 * other users notices of the snapshots that belong to them.
 */
struct frec_notice {
	uint32_t size;	 /* bytes that the recorder wrote, including these four */
	int32_t error;	 /* 0; or a negative errno if the snapshot could not be written */
	uint32_t pid;	 /* who died or asked, in the recorder's pid namespace; 0: unknown */
	uint32_t missed; /* notices that were dropped since the previous one */
	char name[128];	 /* of the trigger, or "crash", "killed", "oom", ...; ended by NUL */
	char path[4096]; /* of the file, ended by NUL; empty if it could not be written */
};

/*
 * Starts recording. When it returns 0, the selected events are on, and no event emitted from then
 * on is lost. If `options` is NULL, all options have their defaults. Blocks while the keeper
 * starts: tens of milliseconds, 10 s at most. Each process can have one recorder.
 *
 * Returns 0, or a negative errno, and writes *ret only if it returns 0:
 *	-EALREADY	this process has a recorder, or was forked from one that has, or writes its
 *			events into the memory of `flightrec run` and the keeper has no right to
 *			get them in another way
 *	-EINVAL		the options are of a later version, or a tag is not KEY=VALUE with a valid
 *			key, or two tags have the same key
 *	-E2BIG		there are too many tags or events
 *	-ENOENT		there is no keeper program, or no file `socket`
 *	-ECONNREFUSED	nothing listens at `socket`
 *	-EPERM, -EACCES, -ENOTSUP, ...	the recorder cannot work here; `error` says why, and what
 *					to do
 *	-EPIPE		the keeper ended at once, for example because an option is out of range, or
 *			the recorder at `socket` hung up
 *	-ETIMEDOUT	the recorder did not answer
 * Any thread may call this, but no two at the same time, and no signal handler. It starts no
 * thread, installs no handler and leaves no child process; its descriptors are close-on-exec.
 *
 * After fork() the same recorder records the child as well, until the last process of the service
 * has ended. So a recorder can be started before a service becomes a daemon or gives up its rights,
 * or afterwards, with the rights that are left. A keeper does not keep what it inherits from the
 * service: limits, scheduling, control groups, signal settings, and descriptors other than stderr.
 */
FREC_PUBLIC int frec_recorder_start(const struct frec_recorder_options *options,
				    struct frec_recorder **ret);

/*
 * Returns how the events of this process reach a recorder that frec_recorder_start() has started:
 * "user_events", "usdt" or "shm" (see flightrec-transports(7)). *ret_why is one sentence, without a
 * full stop, that says why the recorder took this transport; `ret_why` may be NULL. Both strings
 * belong to the library and stay valid until the next frec_recorder_start(). Any thread and any
 * signal handler may call this, but not while another thread calls frec_recorder_start().
 */
FREC_PUBLIC const char *frec_recorder_transport(const struct frec_recorder *recorder,
						const char **ret_why);

/*
 * Asks the recorder of this process for a snapshot named `name` (1 to 100 printable ASCII
 * characters). Returns at once; the snapshot has all events emitted before the call that were not
 * overwritten meanwhile.
 *
 * The first request of a name is served at once. Further requests of that name that this process
 * sends within the cool-down (frec_recorder_options.cooldown_ms) become one snapshot, which says
 * how many there were. It is taken when the cool-down is over, or earlier if events from before the
 * first of these requests are about to be overwritten, or if the recorder ends. So calling this
 * often is harmless; requests of other names do not wait.
 *
 * Any thread and any signal handler may call this; it does not allocate, block or change errno.
 * Returns 0, or
 *	-ENOTCONN	no recorder was started by frec_recorder_start(), or it has ended
 *	-EINVAL		`name` is NULL or not a valid name
 *	-EAGAIN		too many requests wait to be read by the recorder, or there is no memory
 */
FREC_PUBLIC int frec_trigger(const char *name);

/* Limits of frec_trigger_pairs(): the number of pairs, and the bytes of a key and of a value. */
#define FREC_TRIGGER_PAIRS_MAX 16
#define FREC_TRIGGER_KEY_MAX 64
#define FREC_TRIGGER_VALUE_MAX 256

/*
 * Does what frec_trigger() does, with facts that the snapshot keeps, such as the id of a slow
 * request: `count` pairs of texts at `pairs`, each key before its value.
 *
 * A key is 1 to 64 printable ASCII characters without ' ' and '=', and no two are the same. A value
 * is any text; bytes that are not UTF-8 are kept and shown escaped. A value of more than 256 bytes
 * is cut at the end of a UTF-8 character and ends in "...", so that no input of a service prevents
 * a snapshot. NULL becomes "(null)". The texts are not used after the call.
 *
 * Any thread and any signal handler may call this; it does not allocate, block or change errno, and
 * takes less than 2 KiB of stack. Returns what frec_trigger() returns, -EINVAL also for a bad or
 * repeated key, or -E2BIG if `count` is more than FREC_TRIGGER_PAIRS_MAX.
 */
FREC_PUBLIC int frec_trigger_pairs(const char *name, const char *const *pairs, size_t count);

/*
 * Stops the recorder. A keeper first writes the snapshots that were asked for; the call blocks
 * until the keeper is gone, or has not answered for 10 s. A recorder at `socket` goes on without
 * this process, and so does a keeper if the process that started it lives and is not this one. NULL
 * is allowed. Must not be called while another thread starts or stops a recorder, nor in a signal
 * handler.
 */
FREC_PUBLIC void frec_recorder_stop(struct frec_recorder *recorder);

#ifdef __cplusplus
}
#endif

/*
 * Calls frec_trigger_pairs() with the pairs that follow the name:
 *
 *	frec_trigger_fields("slow_checkout", "request_id", id, "shard", shard);
 *
 * All arguments are texts (const char *). The compiler complains about any other type, and about a
 * key without a value.
 */
#ifdef __cplusplus
template <typename... Texts> inline int frec_trigger_fields(const char *name, Texts... texts)
{
	static_assert(sizeof...(texts) % 2 == 0,
		      "frec_trigger_fields: a key has no value: name, key, value, key, value, ...");
	const char *const pairs[sizeof...(texts) + 1] = {texts..., nullptr};

	return frec_trigger_pairs(name, pairs, sizeof...(texts) / 2);
}
#else
#define frec_trigger_fields(name, ...) \
	frec_trigger_pairs(name, FREC__TEXTS(__VA_ARGS__), FREC__PAIR_COUNT(__VA_ARGS__))
#define FREC__TEXTS(...) ((const char *const[]){__VA_ARGS__})
#define FREC__TEXT_COUNT(...) (sizeof(FREC__TEXTS(__VA_ARGS__)) / sizeof(const char *))
/* The structure exists only for the assertion in it. */
#define FREC__PAIR_COUNT(...) \
	(FREC__TEXT_COUNT(__VA_ARGS__) / 2 + \
	 0 * sizeof(struct { \
		 char unused; \
		 _Static_assert(FREC__TEXT_COUNT(__VA_ARGS__) % 2 == 0, \
				"frec_trigger_fields: a key has no value: name, key, value, key, " \
				"value, ..."); \
	 }))
#endif

#endif
