/* SPDX-License-Identifier: MIT */
/*
 * Memory that the recorder shares with services, which write their events into it (see shm.h). Each
 * user that the recorder serves has a memory of his own, and another one for each further pid
 * namespace of his processes.
 *
 * A memory is idle if no process that attached to it is connected or alive, and no snapshot of its
 * user is to come. It is given back after it was idle for as long as a cool-down lasts, because
 * snapshots that are taken soon after the end of a service should have its last events; but at
 * once if another user needs its place.
 */
#ifndef FREC_RECORDER_MEMORIES_H
#define FREC_RECORDER_MEMORIES_H

#include "recorder/rings/clock_probe.h"
#include "recorder/rings/pid_space.h"
#include "recorder/source_set.h"
#include "recorder/watchlist.h"

/* The most memories that there can be, of which each user has a share (share.h). Each takes about
 * as much memory as the kernel's rings: the rings of all CPUs, and as much again to copy them. */
#define FREC_MEMORIES_MAX 8

struct frec_memory;

struct frec_memories {
	/* The parts of the engine that are used here. All of them outlive this structure. */
	struct frec_source_set *sources;
	struct frec_process_table *processes;
	const struct frec_watchlist *watchlist;
	bool guard;	   /* services make their memory writable only while they write */
	uint64_t patience; /* for how many nanoseconds an idle memory is kept */
	/* Returns whether a snapshot of user `uid` is to come. */
	bool (*awaited)(void *context, uint32_t uid);
	void *context;

	size_t count;
	struct frec_memory *memory;
	struct frec_pid_spaces spaces;
	uint64_t next_spaces; /* when to look again for processes in other pid namespaces */
	bool spaces_due;      /* that look has been put off until then */
	struct frec_clock_probe clock;
};

/*
 * Returns the memfd of a user's services, which is made when it is first asked for and is closed
 * when the memory is given back; or a negative errno, -EDQUOT if the user's share is used up.
 * `client` is the process that asks, or 0 for the recorder itself, in its own pid namespace, which
 * keeps that memory for ever. Processes in other namespaces have
 * memory of their own, because the pids that they write mean other processes in the recorder's
 * namespace. Services stop writing when the calling thread ends. Must not be called while a capture
 * is in use.
 */
int frec__memories_fd(struct frec_memories *memories, uint32_t uid, uint32_t client,
		      struct frec_error *reterr);

/* Counts a process that has attached as a user of the memory that frec__memories_fd() returns for
 * it. Returns 0 or -ENOMEM. */
int frec__memories_enter(struct frec_memories *memories, uint32_t uid,
			 const struct frec_watched *client);

/* Call this when the process with the number `life` (frec_process.life), which has entered, has
 * closed its connection. */
void frec__memories_leave(struct frec_memories *memories, uint64_t life);

/* Gives back the memories that have been idle for long enough. Must not be called while a capture
 * is in use. */
void frec__memories_give_back(struct frec_memories *memories);

/* Returns when to call frec__memories_give_back() if nothing happens before; 0: not at all. */
uint64_t frec__memories_idle_until(const struct frec_memories *memories);

/* Finds out the pid namespace of a process, if the process may write into a memory. Call this for a
 * process that may soon be gone. */
void frec__memories_meet(struct frec_memories *memories, uint32_t pid);

/* Adds the sources of events that services have registered since the last call, learns the pids of
 * new processes in other namespaces, and tells services if the machine's clock has become one that
 * they may not be able to read. */
void frec__memories_refresh(struct frec_memories *memories);

struct frec_shm_birth;

/* As frec__shm_next_birth(), for services of the recorder's own user and pid namespace. */
bool frec__memories_next_birth(struct frec_memories *memories, struct frec_shm_birth *ret);

/* Must be called after the rings are closed. */
void frec__memories_deinit(struct frec_memories *memories);

#endif
