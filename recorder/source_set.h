/* SPDX-License-Identifier: MIT */
/*
 * The sources of a recorder, each opened on every ring.
 *
 * Invariants: a source keeps its index, by which captures and files refer to it, and is closed only
 * when the recorder ends. The exception are the sources of a memory that is given back, which never
 * happens while a capture is in use. A source that is added is opened on every ring, or not added.
 * On a ring that is added all sources are opened, or those before the first that fails.
 */
#ifndef FREC_RECORDER_SOURCE_SET_H
#define FREC_RECORDER_SOURCE_SET_H

#include "recorder/crash_records.h"
#include "recorder/ring_set.h"
#include "recorder/selections.h"
#include "recorder/sources/source.h"

/* Each user has a share of them (share.h). */
#define FREC_SOURCES_MAX 4096

struct frec_crash_program;
struct frec_tracepoints;

struct frec_source_set {
	/* The parts of the engine that are used here. All of them outlive this structure. */
	struct frec_ring_set *rings;
	const struct frec_selections *selections;
	struct frec_declarations *declarations;
	int tracefs;
	/* events of services come in through user_events, and tracefs lists them */
	bool user_events;
	/* Processes of the whole machine are recorded, so stacks of crashes are only in the crash
	 * rings: see crash_records.h. */
	bool whole_machine;

	size_t count;
	struct frec_source *source;
	/* NULL: crashes are recorded without the faulting address */
	struct frec_crash_program *crash_program;
	struct frec_error no_addresses; /* why `crash_program` is NULL */
	struct frec_crash_records crash_records;
	/* Records kernel tracepoints in place of perf; NULL: perf records them. */
	struct frec_tracepoints *tracepoints;
	bool tracepoints_tried; /* it was decided which of the two does */
	char *events_status;	/* user_events_status, as last read */
	size_t declared; /* the number of declarations that the formats were completed from */
};

void frec__source_set_deinit(struct frec_source_set *set);

/* Takes over a source, also on failure, and opens it on every ring. Returns 0 or a negative
 * errno. */
int frec__source_set_add(struct frec_source_set *set, struct frec_source *source,
			 struct frec_error *reterr);

/* Removes the sources and the rings of a memory that services wrote. */
void frec__source_set_remove_memory(struct frec_source_set *set,
				    const struct frec_shm_rings *memory);

/* Adds an event that tracefs lists, to be recorded with the stacks that `stack` chooses. `filter`
 * is static or NULL. Returns 0 or a negative errno. */
int frec__source_set_add_listed(struct frec_source_set *set, const struct frec_listed *listed,
				const char *filter, const struct frec_stack_choice *stack,
				struct frec_error *reterr);

/* Adds fatal signals with registers and stack, which every recorder records. Returns 0 or a
 * negative errno. */
int frec__source_set_add_crash(struct frec_source_set *set, struct frec_error *reterr);

/* Returns how many sources are open, plus how many the selected events of tracefs would add. Closes
 * the descriptors of the open sources, because the search needs some, so call this only for a set
 * that is about to end. */
size_t frec__source_set_wanted(struct frec_source_set *set);

/* Adds the selected events of tracefs that are not open yet. With `strict` the first failure ends
 * the search; else each failure is reported and the search goes on. Returns 0 or a negative
 * errno. */
int frec__source_set_find(struct frec_source_set *set, bool strict, struct frec_error *reterr);

/* Opens the rings of all online CPUs, and the sources on each ring. Returns 0 or a negative
 * errno. */
int frec__source_set_open_cpus(struct frec_source_set *set, struct frec_sideband *sideband,
			       struct frec_error *reterr);

/* Follows CPUs that came or went and events that appeared in tracefs. Failures are reported. */
void frec__source_set_refresh(struct frec_source_set *set, struct frec_sideband *sideband);

/* Completes the formats of user events from declarations that were read since the last call. */
void frec__source_set_refine(struct frec_source_set *set);

/* Sets memory aside for a capture of what is open now. Returns 0 or a negative errno. */
int frec__source_set_reserve(struct frec_source_set *set, struct frec_error *reterr);

#endif
