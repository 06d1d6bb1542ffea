/* SPDX-License-Identifier: MIT */
/*
 * The process table: which processes run on the machine, and which ran before. A snapshot takes
 * names, arguments, owners, threads and executable mappings from it, even those of processes that
 * are gone.
 *
 * Data flows one way, into the table:
 *
 *	proc_scan.c	fills the table from /proc when the recorder starts, and rereads what only
 *			/proc knows.
 *	sideband.c	keeps the table up to date from perf's records of fork, exec, mmap and exit,
 *			and raises alerts for deaths and execs.
 *	proc_poll.c	does the same by polling /proc, for recorders without the right to use a
 *			sideband.
 *	process_end.c	finds out how a process ended, for the same recorders.
 *	build_ids.c	adds the build-ids that the kernel does not report.
 *	held_files.c	holds the mapped files of processes that matter.
 *	moved_text.c	recognises code that was moved to anonymous memory.
 *	owner.c		decides which user may see what a process did.
 *	threads.c	has the threads of a process.
 *	exited.c	forgets exited processes.
 *
 * Invariants: each process has its own entry, even if its pid was used before, and a number of its
 * own, its life. Whoever remembers a process for later remembers its life, because the pid can
 * belong to another process by then. Entries with the same pid are linked, youngest first, in the
 * bucket of that pid; this is why the table is not a frec_table. Exited processes stay until their
 * number reaches a limit. Then the one that exited first is removed, but a process that matters
 * (`kept`, `emitted`) only if all exited processes matter. The descendants of a removed process are
 * still known to descend from its ancestors. Everything is limited, and threads and mappings for
 * which there is no room are counted.
 */
#ifndef FREC_RECORDER_PROCESSES_PROCESSES_H
#define FREC_RECORDER_PROCESSES_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/table.h"
#include "recorder/processes/owner.h"

/* At least this many exited processes, and this many threads of one process, are remembered, and
 * more if the rings can hold records of more: frec__process_table_limit(). */
#define FREC_PROCESSES_EXITED_MAX 4096
#define FREC_PROCESS_THREADS_MAX 4096
/* The most parents that are followed from a process to an ancestor. */
#define FREC_DESCENT_MAX 64
/* The maximum number of threads of all processes together. */
#define FREC_THREADS_MAX (1u << 20)
#define FREC_PROCESS_MAPS_MAX 4096
#define FREC_PROCESS_CMDLINE_MAX 4096 /* bytes */
/* The maximum size in bytes of the mappings of all processes together. It prevents programs that
 * call mmap or fork in a loop from exhausting the recorder's memory. */
#define FREC_PROCESS_MAPS_BYTES_MAX (64u << 20)

struct frec_thread {
	uint32_t tid;
	char name[16];
	uint64_t start, exit; /* nanoseconds of CLOCK_MONOTONIC; start 0: unknown, exit 0: alive */
};

struct frec_mapping {
	uint64_t start, end, offset, since;
	char *path;
	uint8_t build_id[20];
	uint8_t build_id_size;	     /* 0: unknown */
	struct frec_held_file *held; /* the file itself (held_files.h); NULL: it is not held */
};

struct frec_process {
	uint64_t life; /* distinguishes all processes that are or ever were in the table; not 0 */
	uint32_t pid, ppid;
	/* The nearest ancestor in the table, or NULL if none is known. Never a later process that
	 * was given the ancestor's pid. */
	struct frec_process *parent;
	struct frec_owner owner;
	/* The user whose share (share.h) the process takes: the last one known of it or of its
	 * ancestors. A stranger's process stays a stranger's, even if it runs a set-uid program. */
	uint32_t payer;
	bool kernel;
	bool kept;	    /* the recorder was started for it, or it is or was a client */
	bool emitted;	    /* the rings have events of this process */
	bool has_emitted;   /* the rings have or had events of this process */
	bool has_children;  /* it is or was the parent of another process */
	bool holds;	    /* its mapped files are held (held_files.h), if that is possible */
	bool holds_more;    /* it has new mappings whose files are to be held */
	bool own_pid_space; /* known to be in the recorder's own pid namespace */
	char name[16];
	char *cmdline; /* arguments, each ended by a NUL */
	size_t cmdline_size;
	char *executable;
	char *tags; /* its tags, in the form of frec_pairs.text; NULL: none */
	size_t tags_size;
	uint64_t start, exit;
	uint64_t image_since; /* time of its last exec */
	size_t threads, maps;
	size_t threads_alive;
	uint32_t threads_missing, maps_missing;
	struct frec_thread *thread;
	/* from a tid to the index of its youngest thread; empty while there are few threads */
	struct frec_table by_tid;
	struct frec_mapping *map;
	uint32_t seen; /* frec_process_table.polls at the last poll that found the process */
	struct frec_process *next; /* next in the bucket, where younger ones come first */
};

#define FREC_PROCESS_BUCKETS 1024

struct frec_build_ids;
struct frec_held_file;
struct frec_emitting_file;

struct frec_process_table {
	struct frec_process *bucket[FREC_PROCESS_BUCKETS];
	uint64_t lives; /* the last one that was given out */
	size_t living, exited;
	size_t exited_max;  /* 0: FREC_PROCESSES_EXITED_MAX */
	size_t threads_max; /* of one process; 0: FREC_PROCESS_THREADS_MAX */
	size_t threads;	    /* of all processes */
	/* Called before exited processes are removed, to set `emitted` of all processes. Must
	 * change nothing else in the table. May be NULL; if not, exited processes are removed an
	 * eighth of the limit at a time, so that this is called seldom. */
	void (*mark_emitters)(void *context);
	void *context;
	size_t map_bytes;
	struct frec_build_ids *build_ids; /* a cache; NULL until it is first used */
	size_t held_files;
	struct frec_held_file **held_file;
	size_t emitting_files;
	struct frec_emitting_file *emitting_file; /* of held_files.c */
	bool holds_more;			  /* of a process */
	uint64_t next_hold; /* when to look for them, in nanoseconds of CLOCK_MONOTONIC */
	bool held_ended;    /* a process with `holds` has ended */
	uint32_t polls;	    /* calls of frec__process_table_poll() */
	/* The arguments that a process is about to start with, in case it exits before they can be
	 * read. */
	struct frec_expected {
		uint32_t pid; /* 0: none */
		char *cmdline;
		size_t size;
	} expected;
	/* the latest exit of any process that was removed from the table; older records may belong
	 * to a removed process */
	uint64_t forgotten_until;
};

/* Frees a process that is in no bucket of the table any more. */
void frec__process_free(struct frec_process_table *table, struct frec_process *process);

void frec__process_table_deinit(struct frec_process_table *table);
#define FREC_PROCESS_TABLE __attribute__((cleanup(frec__process_table_deinit)))

/* Raises the limits to what rings of `ring_bytes` bytes in total can hold records of. The limits
 * never shrink. */
void frec__process_table_limit(struct frec_process_table *table, uint64_t ring_bytes);

/* Calls `visit` for each living process. `visit` must not change the table. */
void frec__process_table_each(struct frec_process_table *table,
			      void (*visit)(void *context, const struct frec_process *),
			      void *context);

/* Returns the youngest process that has or had this pid, or NULL. */
struct frec_process *frec__process_table_find(const struct frec_process_table *table, uint32_t pid);

/* As frec__process_table_find(), but adds a process of which nothing is known if there is none.
 * NULL means that memory ran out. */
struct frec_process *frec__process_table_get(struct frec_process_table *table, uint32_t pid);

/* Returns the process with this pid that is `life`, or NULL if the table does not have it any
 * more. */
struct frec_process *frec__process_table_life(const struct frec_process_table *table, uint32_t pid,
					      uint64_t life);

/* Finds the parent of a living process whose parent is not known yet, or of all of them. /proc can
 * list a child before its parent. */
void frec__process_link(struct frec_process_table *table, struct frec_process *process);
void frec__process_table_link(struct frec_process_table *table);

/* Takes over what frec__owner_read() says about the process now. */
void frec__process_set_owner(struct frec_process *process, const struct frec_owner *owner);

/* Charges the process to the user `uid`, unless it is charged to a stranger already.
 * frec__process_set_owner() does so, too. */
void frec__process_set_payer(struct frec_process *process, uint32_t uid);

/*
 * Sets the arguments that `pid` will have after its next exec. The arguments in /proc replace them
 * later if the process lives long enough. Returns 0 or -ENOMEM.
 */
int frec__process_table_expect(struct frec_process_table *table, uint32_t pid,
			       char *const *arguments);

/* These functions update the table with what the sideband reports. `time` is when the event
 * happened. */
void frec__process_table_fork(struct frec_process_table *table, uint32_t pid, uint32_t ppid,
			      uint32_t tid, uint64_t time);
void frec__process_table_exit(struct frec_process_table *table, uint32_t pid, uint32_t tid,
			      uint64_t time);
void frec__process_table_comm(struct frec_process_table *table, uint32_t pid, uint32_t tid,
			      const char *name, bool exec, uint64_t time);
void frec__process_table_map(struct frec_process_table *table, uint32_t pid,
			     const struct frec_mapping *map);

/* Returns the process that had `pid` at `time`, or NULL. */
struct frec_process *frec__process_table_find_at(const struct frec_process_table *table,
						 uint32_t pid, uint64_t time);

/* As frec__process_table_find_at(), but returns NULL if that process was over at `time`. */
struct frec_process *frec__process_table_alive_at(const struct frec_process_table *table,
						  uint32_t pid, uint64_t time);

/* Returns whether a record of `pid` at `time` is of the process that is `life`. If that is 0, or a
 * process that the table has forgotten, nobody knows, and the pid decides. */
bool frec__process_table_is_of(const struct frec_process_table *table, uint32_t pid, uint64_t time,
			       uint64_t life);

/* Marks the process and all its threads as ended. */
void frec__process_table_end(struct frec_process_table *table, uint32_t pid, uint64_t time);
/* Adds a thread that is known only from a record and gives it the name of its process. Does nothing
 * if the process is unknown or already has the thread. */
void frec__process_table_add_thread(struct frec_process_table *table, uint32_t pid, uint32_t tid);
/* Sets the tags of process `pid` to a copy of `size` bytes, or removes them if `size` is 0. Returns
 * 0 or -ENOMEM. */
int frec__process_table_tag(struct frec_process_table *table, uint32_t pid, const char *tags,
			    size_t size);
/* Removes all mappings of a process, so that the caller can add its current ones. */
void frec__process_table_unmap(struct frec_process_table *table, uint32_t pid);

/*
 * Returns whether a file for the user `only_uid` (-1: for everybody) may have a record of `pid` at
 * `time`. It may if the table has a process with this pid, all processes in it that have or had
 * this pid belonged to that user at the time, and no process that was removed from the table exited
 * at `time` or later. This prevents a reused pid from showing one user what another user did.
 */
bool frec__process_table_shows(const struct frec_process_table *table, uint32_t pid, uint64_t time,
			       int64_t only_uid);

/* Returns whether the process is the one with the life `ancestor` or descends from it, as far as
 * the table remembers. */
bool frec__process_descends(const struct frec_process *process, uint64_t ancestor);

#endif
