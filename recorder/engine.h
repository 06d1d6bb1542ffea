/* SPDX-License-Identifier: MIT */
/*
 * The recorder engine: rings, sources, sideband and process table of one machine, and the loop that
 * turns triggers into snapshots. One thread, one loop; everything in it belongs to that thread.
 *
 * Data flows one way: tracefs -> sources -> rings (written by the kernel) services' memory ->
 * sources, rings (written by services) sideband -> process table, alerts -> deaths -> reason or,
 * without the right to watch the kernel: /proc -> process table, pidfds -> deaths reason + rings ->
 * capture -> file
 */
#ifndef FREC_RECORDER_ENGINE_H
#define FREC_RECORDER_ENGINE_H

#include "proto/clocks.h"
#include "recorder/snapshot/capture.h"
#include "recorder/declared/declarations.h"
#include "recorder/deaths.h"
#include "recorder/snapshot/folder.h"
#include "recorder/processes/processes.h"
#include "recorder/sources/selection.h"
#include "recorder/processes/sideband.h"
#include "recorder/sources/source.h"
#include "recorder/sources/transport.h"

#define FREC_RING_SIZE_DEFAULT (4u << 20)
#define FREC_QUOTA_DEFAULT (UINT64_C(1) << 30)
#define FREC_FALLBACK_DEFAULT "/var/tmp/flightrec"
#define FREC_SELECTIONS_MAX 256
#define FREC_SOURCES_MAX 4096

/* Which deaths are worth a snapshot. */
enum frec_watch {
	FREC_WATCH_EMITTERS,	/* of every process that has user events in the rings */
	FREC_WATCH_DESCENDANTS, /* of the watched processes and what they started */
};

struct frec_engine_options {
	const char *const *selection;	/* NULL-terminated; kept by the caller */
	struct frec_stack_choice stack; /* of what is selected without a choice of its own */
	uint64_t ring_size;		/* bytes per CPU, a power of two */
	const char *folder, *fallback;
	uint64_t quota;
	enum frec_watch watch;
	bool serves_others; /* record --listen */
	/* services will be handed the memory of FREC_TRANSPORT_SHM, if that is in use */
	bool hands_memory;
	enum frec_transport transport;
	bool drop_stack_bytes; /* files get the frames of stacks, and nothing else of them */
	/* shm: services open their memory for writing only while they write, where the CPU can
	 * do that */
	bool guard;
};

struct frec_crash_program;
struct frec_awaited;
struct frec_engine_core;
struct frec_engine_shm;
struct frec_foreign;
struct frec_mapped;
struct frec_usdt;

/* A process whose death is waited for. */
struct frec_watched {
	uint32_t pid;
	int64_t only_uid; /* what its snapshots may hold: this user's records; -1: all */
};

struct frec_engine {
	struct frec_engine_options options;
	size_t selections;
	struct frec_selection *selection; /* the options', taken apart */
	enum frec_transport transport;	  /* the one in use, never FREC_TRANSPORT_AUTO */
	/* Whether it has the right to watch the kernel: without it there are only the events that
	 * services write into memory. */
	bool kernel;
	struct frec_error no_kernel; /* why not */
	int tracefs;
	size_t ring_count;
	struct frec_ring *ring;
	size_t source_count;
	struct frec_source *source;
	struct frec_sideband sideband;
	struct frec_process_table processes;
	struct frec_declarations declarations;
	struct frec_capture capture;
	struct frec_folder folder;
	struct frec_deaths deaths;
	struct frec_clocks start;
	uint64_t recording_since;
	size_t watched_count;
	struct frec_watched *watched;
	uint64_t looked;       /* when the kernel's lists of CPUs and events were last looked at */
	uint64_t looked_alive; /* when the rings were last found alive */
	char *cpus_online;     /* /sys/devices/system/cpu/online, as last seen */
	char *events_status;   /* user_events_status, as last seen */
	/* user_events_data, for events registered ahead of their program; -1 */
	int events_fd;
	uint64_t snapshots, failures;
	uint64_t last_death; /* when the last snapshot of a death was written; 0: never */
	uint32_t last_dead;  /* whose */
	char last_path[PATH_MAX];
	struct frec_usdt *usdt; /* NULL: another transport is in use */
	uint32_t usdt_slots;	/* of its slots, those in use */
	size_t mapped_count;	/* files that were mapped and not looked at yet */
	struct frec_mapped *mapped;
	bool mapped_missed; /* there was no room for one */
	size_t shm_count;
	struct frec_engine_shm *shm; /* the memory of services, for each user; see engine_shm.h */
	uint64_t next_spaces;	     /* when to look again who came in other pid namespaces */
	/* Without the kernel: whose end is waited for, and when to look at /proc again. See
	 * engine_ends.h. */
	size_t awaited_count;
	struct frec_awaited *awaited;
	uint64_t next_births, next_names;
	/* NULL: crashes are recorded without addresses ... */
	struct frec_crash_program *crash_program;
	struct frec_error no_addresses; /* ... and this is why */
	struct frec_foreign *foreign;
	/* stacks of dying processes, see engine_cores.h; NULL: none yet */
	struct frec_engine_core *cores;
	/* Called after a snapshot was written, or was not (path NULL). */
	void (*written)(void *context, const struct frec_reason *reason, const char *path);
	void *context;
};

/* Starts recording. On failure nothing is left and `reterr` says why. */
int frec__engine_start(struct frec_engine *engine, const struct frec_engine_options *options,
		       struct frec_error *reterr);
void frec__engine_stop(struct frec_engine *engine);

/* Registers the selected events that the file (and the libraries it is linked with) declares,
 * before it runs. */
int frec__engine_preload(struct frec_engine *engine, const char *path, struct frec_error *reterr);

/* From now on deaths of the process and its descendants are worth a snapshot. `tells`: see
 * frec__engine_excuse(). */
int frec__engine_watch(struct frec_engine *engine, uint32_t pid, int64_t only_uid, bool tells);
void frec__engine_unwatch(struct frec_engine *engine, uint32_t pid);

/* The watched process that `pid` is or descends from, NULL. */
const struct frec_watched *frec__engine_find_watched(const struct frec_engine *engine,
						     uint32_t pid);

/* Whether the end of a process may still be told by a pidfd. Never where the kernel is watched. */
bool frec__engine_awaits(const struct frec_engine *engine);

/* Takes what the sideband tells of a process that dies; `context` is the engine. */
void frec__engine_alert(void *context, const struct frec_alert *alert);

/* Notes a death of which a snapshot is to be taken. */
void frec__engine_note_death(struct frec_engine *engine, const struct frec_alert *alert,
			     uint32_t pid, int64_t only_uid);

/* Takes a snapshot now. `ret_path` (PATH_MAX) may be NULL. */
int frec__engine_snapshot(struct frec_engine *engine, const struct frec_reason *reason,
			  int64_t only_uid, char *ret_path, struct frec_error *reterr);

/*
 * The loop's part: fills `fds` with what to poll (at most `room`, returns how many), and how long
 * at most; then works off what happened. Call both in turn.
 */
size_t frec__engine_poll(struct frec_engine *engine, struct pollfd *fds, size_t room,
			 int *ret_milliseconds);
void frec__engine_work(struct frec_engine *engine);

#endif
