/* SPDX-License-Identifier: MIT */
/*
 * The recorder. A process has one engine. It records the selected events of a machine into rings in
 * memory, and writes what the rings hold into a file on request or when a process dies. One thread
 * runs the loop, and everything here belongs to that thread.
 *
 * Its parts, each of which uses only parts above it:
 *
 *	selections	what -e selects, parsed
 *	processes	the process table, and the watchlist: whose death is worth a snapshot
 *	rings		the rings of CPUs and services, and the memory to copy them all
 *	sources		what is recorded, each source opened on every ring
 *	announcements	what wakes a recorder that sleeps, besides the sideband
 *	foreign, breakpoints, memories, preload
 *			sources that tracefs does not list, or does not list yet
 *	cooldown	which causes had a snapshot a short time ago
 *	pace		whose turn it is: how the time of the loop is shared
 *	deaths, ends, stacks
 *			deaths that wait for their snapshot, and how they are noticed
 *	triggers	requests that wait for the end of the cool-down
 *	store		the folder of snapshots
 *
 * Data flows one way:
 *
 *	-e -> selections -> sources -> rings <- the kernel, services
 *	sideband -> process table, alerts -> deaths
 *	/proc -> process table, pidfds -> deaths	(without the right to watch the kernel)
 *	a request, a signal or a death -> capture of all rings -> file
 *
 * On top of the engine, the server (server.h) adds clients to the loop, and the session (session.h)
 * is what the commands of the tool see. The messages of clients are in proto/control.proto.
 *
 * Invariants: indices of rings and sources change only when a memory is given back. Memory for the
 * next capture is set aside before a ring or source records, so that taking a capture allocates
 * nothing. The loop blocks only in poll(2) and while it writes a file; then it also drains the
 * sideband. It wakes only if something happens; what no kernel interface announces is looked at
 * every 20 ms, but only while it can change (is_restless() in engine.c).
 * Everything that comes from a socket or from the memory of services is hostile.
 */
#ifndef FREC_RECORDER_ENGINE_H
#define FREC_RECORDER_ENGINE_H

#include <poll.h>

#include "proto/clocks.h"
#include "recorder/announcements.h"
#include "recorder/breakpoints.h"
#include "recorder/cooldown.h"
#include "recorder/deaths.h"
#include "recorder/declared/declarations.h"
#include "recorder/ends.h"
#include "recorder/kept_stacks.h"
#include "recorder/memories.h"
#include "recorder/pace.h"
#include "recorder/preload.h"
#include "recorder/processes/processes.h"
#include "recorder/processes/sideband.h"
#include "recorder/ring_set.h"
#include "recorder/selections.h"
#include "recorder/source_set.h"
#include "recorder/sources/transport.h"
#include "recorder/store.h"
#include "recorder/triggers.h"
#include "recorder/watchlist.h"

#define FREC_QUOTA_DEFAULT (UINT64_C(1) << 30)
#define FREC_FALLBACK_DEFAULT "/var/tmp/flightrec"

/* Which deaths get a snapshot. */
enum frec_watch {
	FREC_WATCH_EMITTERS,	/* deaths of all processes that have user events in the rings */
	FREC_WATCH_DESCENDANTS, /* deaths of watched processes and of their descendants */
};

struct frec_engine_options {
	const char *const *selection;	/* NULL-terminated; owned by the caller */
	struct frec_stack_choice stack; /* for events whose selections say nothing about stacks */
	uint64_t ring_size;		/* bytes per CPU, a power of two */
	const char *folder, *fallback;
	uint64_t quota;
	uint64_t cooldown; /* nanoseconds: see cooldown.h */
	enum frec_watch watch;
	bool serves_others; /* the recorder is a `flightrec record --listen` */
	/* The recorder is a keeper: it ends when the last process of the service has ended,
	 * whichever that is (lineage.h). It goes on if its socket to the service closes, because
	 * services close descriptors that they do not know. */
	bool follows;
	/* services can be handed the memory of FREC_TRANSPORT_SHM, if that is in use */
	bool hands_memory;
	bool memory_taken; /* the service already writes into the memory of another recorder */
	enum frec_transport transport;
	bool drop_stack_bytes; /* files get only the frames of stacks */
	/* shm: services make their memory writable only while they write, if the CPU can do that;
	 * with FREC_TRANSPORT_AUTO they always do, whatever this says */
	bool guard;
	struct frec_pairs tags; /* for every file of this recorder */
};

struct frec_foreign;

struct frec_engine {
	struct frec_engine_options options;
	enum frec_transport transport; /* the transport in use; never FREC_TRANSPORT_AUTO */
	char transport_why[600];       /* one sentence without a full stop */
	/* This process has the right to watch the kernel. Without that right there are only the
	 * events that services write into memory. */
	bool kernel;
	struct frec_error no_kernel; /* why `kernel` is false */
	int tracefs;
	struct frec_clocks start;
	uint64_t recording_since; /* nanoseconds of CLOCK_MONOTONIC, as all times here */
	uint64_t refreshed;	  /* when the kernel's lists of CPUs and events were last read */
	/* when to look around next, with the announcements left alone until then; 0: when one
	 * comes */
	uint64_t next_look;
	bool blind; /* some announcements are missing */
	/* The recorder is ending, and begins no snapshot after this time; 0: it is not ending. May
	 * be set while a snapshot is written, which then gives up its stacks at this time. */
	uint64_t deadline;
	uint64_t given_up; /* deaths and requests for which no time was left */
	/* The snapshot that is being written is a stranger's, and is given up if one of root or of
	 * the recorder's user is due, and whether it was. */
	bool yields, cancelled;
	bool capturing; /* the capture is in use */
	/* when to search the rings again for processes that emit */
	uint64_t next_emitters;
	/* how many records the sideband had lost when /proc was last compared with the process
	 * table, and when to compare again */
	uint64_t compared_lost, next_comparison;

	struct frec_selections selections;
	struct frec_process_table processes;
	struct frec_sideband sideband;
	struct frec_watchlist watchlist;
	struct frec_declarations declarations;
	struct frec_announcements announcements;
	struct frec_ring_set rings;
	struct frec_source_set sources;
	struct frec_foreign *foreign;
	struct frec_breakpoints breakpoints;
	struct frec_memories memories;
	struct frec_preload preload;
	struct frec_cooldown cooldown;
	struct frec_pace pace;
	struct frec_deaths deaths;
	struct frec_ends ends;
	struct frec_kept_stacks stacks;
	struct frec_triggers triggers;
	/* Called when a snapshot that was held back has been written. If the writing failed, `path`
	 * is NULL and `error` says why. May be NULL. */
	void (*on_held)(void *context, uint64_t number, const char *path, const char *error);
	void *on_held_context;
	struct frec_store store;
	/* Called again and again while a snapshot is written, unless it is NULL. */
	void (*on_progress)(void *context);
	void *progress_context;
	struct {
		/* when its snapshot was written; 0: no death has one yet */
		uint64_t time;
		uint32_t pid;
	} last_death;
};

/* Returns the entry of the process that has `pid` now, as /proc or else the process table says, or
 * NULL if memory runs out. */
struct frec_process *frec__engine_process(struct frec_engine *engine, uint32_t pid);

/* From now on, deaths of the process and its descendants get snapshots. `announces`: see
 * frec__ends_await(). Returns 0, or -ENOMEM, also if `process` is NULL. */
int frec__engine_watch(struct frec_engine *engine, struct frec_process *process, int64_t only_uid,
		       bool announces);

/*
 * Watches a service, unless it is `watched` already, and opens what it needs to emit events: with
 * user_events an open file of its own, because the kernel counts registrations by open file; with
 * shm the memory of the user `uid`. On success *ret_fd is a descriptor that the caller closes, or
 * -1 if the service needs none. Returns 0 or a negative errno.
 */
int frec__engine_attach(struct frec_engine *engine, const struct frec_watched *service,
			uint32_t uid, bool watched, int *ret_fd, struct frec_error *reterr);

/* Undoes frec__engine_attach(), after the service has closed its connection. */
void frec__engine_detach(struct frec_engine *engine, const struct frec_watched *service);

/* Returns the descriptor of the memory that services of the recorder's own user write into, or -1
 * if shm is not in use. The engine closes the descriptor. */
int frec__engine_memory(struct frec_engine *engine);

/* Marks the processes that have events in the rings; `context` is the engine. For
 * frec_process_table.mark_emitters. */
void frec__engine_mark_emitters(void *context);

/* Handles an alert of the sideband; `context` is the engine. */
void frec__engine_alert(void *context, const struct frec_alert *alert);

/* Takes a snapshot now. It holds records of the user `only_uid`, or all if that is -1. `ret_path`
 * (PATH_MAX bytes) may be NULL. Returns 0 or a negative errno. */
int frec__engine_snapshot(struct frec_engine *engine, const struct frec_reason *reason,
			  int64_t only_uid, char *ret_path, struct frec_error *reterr);

/*
 * Takes a snapshot because of a request: now, or if `cause` is still cooling down, at the end of
 * the cool-down, together with other requests of the same cause. If the snapshot was taken,
 * *ret_held is 0 and `ret_path`, unless that is NULL, filled in; else *ret_held is the number with
 * which on_held() will be called. Returns 0 or a negative errno.
 */
int frec__engine_trigger(struct frec_engine *engine, const struct frec_cause *cause,
			 const struct frec_reason *reason, char *ret_path, uint64_t *ret_held,
			 struct frec_error *reterr);

/* Returns whether the recorder is ending and has no time left to begin a snapshot. */
static inline bool frec__engine_is_late(const struct frec_engine *engine)
{
	return engine->deadline && frec__monotonic() >= engine->deadline;
}

/* Forgets the deaths and held requests that have no snapshot, answers those who wait for one, and
 * reports how many deaths and requests the end of the recorder has cost. */
void frec__engine_give_up(struct frec_engine *engine);

/* Returns whether the last death for which a snapshot was written explains why the command `pid`
 * has just ended: the command itself died, or another process had died only a moment before. */
bool frec__engine_explains_end(const struct frec_engine *engine, uint32_t pid);

/*
 * The engine's part of the loop. The first function fills `fds` with at most `room` descriptors to
 * poll, and returns how many; *ret_milliseconds is how long to poll at most, -1: for ever. The
 * second handles what happened. Call both in turn.
 */
size_t frec__engine_poll(struct frec_engine *engine, struct pollfd *fds, size_t room,
			 int *ret_milliseconds);
void frec__engine_work(struct frec_engine *engine);

#endif
