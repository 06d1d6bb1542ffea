/* SPDX-License-Identifier: MIT */
/*
 * The process table: who was who, also after they are gone. Fed by a scan of /proc at the start and
 * by the sideband afterwards; bounded, and it counts what it had no room for.
 *
 * Invariants: one entry per life of a process (a reused pid gets a new one); living ones are found
 * by pid; those that exited stay until room is needed, oldest exit first.
 */
#ifndef FREC_RECORDER_PROCESSES_PROCESSES_H
#define FREC_RECORDER_PROCESSES_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FREC_PROCESSES_EXITED_MAX 4096
#define FREC_PROCESS_THREADS_MAX 4096
#define FREC_PROCESS_MAPS_MAX 4096
#define FREC_PROCESS_CMDLINE_MAX 4096 /* bytes */
/* Bytes for the mappings of all processes together: whoever maps and forks cannot fill the memory
 * with them. */
#define FREC_PROCESS_MAPS_BYTES_MAX (64u << 20)

struct frec_thread {
	uint32_t tid;
	char name[16];
	uint64_t start, exit; /* nanoseconds of CLOCK_MONOTONIC, 0: unknown, and alive */
};

struct frec_mapping {
	uint64_t start, end, offset, since;
	char *path;
	uint8_t build_id[20];
	uint8_t build_id_size; /* 0: unknown */
};

struct frec_process {
	uint32_t pid, ppid;
	uint32_t uid;
	bool uid_known, kernel;
	char name[16];
	char *cmdline; /* arguments, each ended by a NUL */
	size_t cmdline_size;
	char *executable;
	uint64_t start, exit;
	uint64_t uid_since;   /* it had another user before, or may have had */
	uint64_t image_since; /* its last exec */
	size_t threads, maps;
	uint32_t threads_missing, maps_missing;
	struct frec_thread *thread;
	struct frec_mapping *map;
	uint32_t seen;		   /* frec_processes.polls, when /proc had it last */
	struct frec_process *next; /* in its hash bucket, youngest first */
};

#define FREC_PROCESS_BUCKETS 1024

struct frec_build_ids;

struct frec_process_table {
	struct frec_process *bucket[FREC_PROCESS_BUCKETS];
	size_t living, exited;
	size_t exited_max; /* 0: FREC_PROCESSES_EXITED_MAX */
	size_t map_bytes;
	struct frec_build_ids *build_ids; /* of files that were looked at; NULL: of none yet */
	uint32_t polls;			  /* looks at /proc: see frec__process_table_poll() */
	/* The arguments that a process is about to start with, for when it is gone before they can
	 * be read. */
	struct frec_expected {
		uint32_t pid; /* 0: none */
		char *cmdline;
		size_t size;
	} expected;
	/* the latest exit among those that left the table: whose an older record is, is unknown */
	uint64_t forgotten_until;
};

void frec__process_table_deinit(struct frec_process_table *table);

/* Calls back for each living process. The callback must not change the table. */
void frec__process_table_each(struct frec_process_table *table,
			      void (*visit)(void *context, const struct frec_process *),
			      void *context);

/* The youngest life of `pid`, dead or alive; NULL where none is known. */
struct frec_process *frec__process_table_find(const struct frec_process_table *table, uint32_t pid);

/*
 * Says what arguments `pid` is going to have with its next exec. What /proc says then takes their
 * place, if the process lives long enough. Returns 0 or -ENOMEM.
 */
int frec__process_table_expect(struct frec_process_table *table, uint32_t pid,
			       char *const *arguments);

/* What the sideband tells. `time` is when it happened. */
void frec__process_table_fork(struct frec_process_table *table, uint32_t pid, uint32_t ppid,
			      uint32_t tid, uint64_t time);
void frec__process_table_exit(struct frec_process_table *table, uint32_t pid, uint32_t tid,
			      uint64_t time);
void frec__process_table_comm(struct frec_process_table *table, uint32_t pid, uint32_t tid,
			      const char *name, bool exec, uint64_t time);
void frec__process_table_map(struct frec_process_table *table, uint32_t pid,
			     const struct frec_mapping *map);

/* The process has ended with all its threads. */
void frec__process_table_end(struct frec_process_table *table, uint32_t pid, uint64_t time);
/* A record of this thread was seen: it is in the table from then on, called as its process. */
void frec__process_table_add_thread(struct frec_process_table *table, uint32_t pid, uint32_t tid);
/* Forgets what it has mapped, to be told anew. */
void frec__process_table_unmap(struct frec_process_table *table, uint32_t pid);

/*
 * Whether every life of `pid` that the table remembers was that user's, and there was one: a reused
 * pid must not show one user what another did.
 */
bool frec__process_table_belongs(const struct frec_process_table *table, uint32_t pid, uint32_t uid,
				 uint64_t time);

/* Whether `pid` is `ancestor` or descends from it, as far as the table remembers. */
bool frec__process_table_descends(const struct frec_process_table *table, uint32_t pid,
				  uint32_t ancestor);

#endif
