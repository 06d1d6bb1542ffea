// SPDX-License-Identifier: MIT
// Keeping the sources in step with what tracefs lists and with the rings.
#include "recorder/source_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "proto/grow.h"
#include "proto/read_file.h"
#include "proto/report.h"
#include "proto/share.h"
#include "recorder/declared/declared_files.h"
#include "recorder/declared/declared_kinds.h"
#include "recorder/sources/crash_program.h"
#include "recorder/sources/tracepoints.h"

#define EVENTS_STATUS_MAX (4 << 20) // bytes

void frec__source_set_deinit(struct frec_source_set *set)
{
	frec__crash_records_deinit(&set->crash_records);
	frec__crash_program_destroy(set->crash_program);
	frec__tracepoints_destroy(set->tracepoints);
	for (size_t i = 0; i < set->count; i++)
		frec__source_deinit(&set->source[i]);
	free(set->source);
	free(set->events_status);
	*set = (struct frec_source_set){.tracefs = -1};
}

static int open_on_all(const struct frec_source_set *set, struct frec_source *source,
		       struct frec_error *reterr)
{
	int r = 0;

	for (size_t i = 0; i < set->rings->count && !r; i++)
		r = frec__source_open(source, i, &set->rings->ring[i], reterr);
	return r;
}

static bool has_room(const struct frec_source_set *set, uint32_t uid)
{
	struct frec_share share = {.uid = uid};

	for (size_t i = 0; i < set->count; i++)
		frec__share_count(&share, set->source[i].uid, 1);
	return frec__share_has_room(&share, 1, FREC_SOURCES_MAX);
}

static int too_many(uint32_t uid, struct frec_error *reterr)
{
	if (frec__is_stranger(uid))
		return frec__error(reterr, -E2BIG,
				   "user %u has too many events: at most %d of one user other than "
				   "root are recorded, and %d of all such users",
				   uid, FREC_SOURCES_MAX / 4, FREC_SOURCES_MAX / 4 * 3);
	return frec__error(reterr, -E2BIG, "the selection matches more than %d events: narrow it",
			   FREC_SOURCES_MAX);
}

int frec__source_set_add(struct frec_source_set *set, struct frec_source *source,
			 struct frec_error *reterr)
{
	int r;

	if (!has_room(set, source->uid))
		r = too_many(source->uid, reterr);
	else
		r = open_on_all(set, source, reterr);
	if (!r && !frec__grow(&set->source, set->count, sizeof(*set->source)))
		r = frec__error(reterr, -ENOMEM, "out of memory");
	if (r) {
		frec__source_deinit(source);
		return r;
	}
	source->since = frec__monotonic();
	set->source[set->count++] = *source;
	return 0;
}

void frec__source_set_remove_memory(struct frec_source_set *set,
				    const struct frec_shm_rings *memory)
{
	size_t first, count = frec__ring_set_remove_memory(set->rings, memory, &first), kept = 0;

	for (size_t i = 0; i < set->count; i++) {
		if (set->source[i].shm == memory) {
			frec__source_deinit(&set->source[i]);
			continue;
		}
		frec__source_remove_rings(&set->source[i], first, count);
		set->source[kept++] = set->source[i];
	}
	set->count = kept;
}

int frec__source_set_add_listed(struct frec_source_set *set, const struct frec_listed *listed,
				const char *filter, const struct frec_stack_choice *stack,
				struct frec_error *reterr)
{
	struct frec_source source;
	int r = frec__source_init(&source, set->tracefs, listed, filter, reterr);

	if (r)
		return r;
	frec__source_set_stack(&source, stack);
	return frec__source_set_add(set, &source, reterr);
}

// Without a crash ring, crashes are recorded in the CPU's ring alone.
static void open_crash_ring(struct frec_source_set *set, const struct frec_ring *ring)
{
	struct frec_error error;

	if (!ring->shm && !ring->offline &&
	    frec__crash_records_open(&set->crash_records, ring->cpu, &error))
		frec__report(LOG_WARNING, "%s", error.message);
}

int frec__source_set_add_crash(struct frec_source_set *set, struct frec_error *reterr)
{
	static const struct frec_listed deliver = {
		.kind = FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT,
		.system = "signal",
		.name = "signal_deliver",
		.group = "signal",
		.kernel_name = "signal_deliver"};
	// One crash must not take up the whole of a small ring.
	uint64_t bytes = set->whole_machine ? FREC_CRASH_RING_STACK : set->rings->size / 8;
	const struct frec_stack_choice none = {.bytes = 0};
	const struct frec_stack_choice stack = {
		.bytes = bytes < FREC_CRASH_STACK_MAX ? (uint32_t)bytes : FREC_CRASH_STACK_MAX};
	struct frec_source fatal_signal = {0};
	bool details = false;
	int r;

	// Without BPF the faulting address is missing, and the stack beyond its first hole.
	if (!frec__crash_program_create(&set->crash_program, &fatal_signal,
					stack.bytes < FREC_CRASH_RING_STACK ? stack.bytes
									    : FREC_CRASH_RING_STACK,
					frec__crash_ring_size(set->rings->size, set->whole_machine),
					&set->no_addresses)) {
		r = frec__source_set_add(set, &fatal_signal, reterr);
		if (r)
			return r;
		details = true;
	}
	r = frec__source_set_add_listed(set, &deliver, FREC_CRASH_FILTER,
					set->whole_machine ? &none : &stack, reterr);
	if (r)
		return r;
	frec__crash_records_init(&set->crash_records, &set->source[set->count - 1],
				 details ? &set->source[set->count - 2] : NULL,
				 set->whole_machine ? &stack : NULL, set->rings->size);
	for (size_t i = 0; i < set->rings->count; i++)
		open_crash_ring(set, &set->rings->ring[i]);
	return 0;
}

static bool is_open(const struct frec_source_set *set, const struct frec_listed *listed)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct frec_source *source = &set->source[i];

		// The recorder's own crash source does not count: it is opened with a filter, and
		// the same tracepoint may be selected as well.
		if (!frec__source_is_crash(source) &&
		    !strcmp(source->listed.group, listed->group) &&
		    !strcmp(source->listed.kernel_name, listed->kernel_name))
			return true;
	}
	return false;
}

struct search {
	struct frec_source_set *set;
	bool strict;
	struct frec_error *reterr;
};

// Returns whether a selected event is to be opened. Without user_events, the events of services
// come in through another transport.
static bool is_wanted(const struct frec_source_set *set, const struct frec_listed *listed)
{
	return (listed->kind != FLIGHTREC__SOURCE_KIND__SOURCE_EVENT || set->user_events) &&
	       !is_open(set, listed);
}

// Calls `visit` for each event in tracefs that is selected, or that libflightrec emits itself, as
// frec__catalog_walk() does.
static int walk_selected(const struct frec_source_set *set, frec_catalog_visit *visit,
			 void *context)
{
	int r = 0;

	for (size_t i = 0; i < set->selections->count && !r; i++) {
		const struct frec_selection *selection = &set->selections->selection[i];

		if (selection->kind == FREC_SELECT_EVENT)
			r = frec__catalog_walk(set->tracefs, selection->name, visit, context);
	}
	return r ? r : frec__catalog_walk(set->tracefs, "flightrec:*", visit, context);
}

// Returns whether the idle task of a CPU can hit a tracepoint. It makes no system calls.
static bool idle_hits(const struct frec_listed *listed)
{
	return listed->kind == FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT &&
	       strcmp(listed->group, "syscalls") && strcmp(listed->group, "raw_syscalls");
}

struct wanted {
	const struct frec_source_set *set;
	size_t count, idle_hits;
};

static int count_event(void *context, const struct frec_listed *listed)
{
	struct wanted *wanted = context;

	if (!is_wanted(wanted->set, listed))
		return 0;
	wanted->count++;
	wanted->idle_hits += idle_hits(listed);
	return 0;
}

// Decides, once, whether a BPF program records the tracepoints that idle tasks hit.
static void try_tracepoints(struct frec_source_set *set)
{
	struct wanted wanted = {.set = set};
	struct frec_error error;

	set->tracepoints_tried = true;
	if (frec__perf_writes_idle(set->tracefs))
		return;
	(void)walk_selected(set, count_event, &wanted);
	if (frec__tracepoints_create(&set->tracepoints, (uint32_t)wanted.idle_hits, &error))
		frec__report(LOG_WARNING, "what hits in the idle task of a CPU may be missing: %s",
			     error.message);
}

// Adds a tracepoint that idle tasks can hit, recorded by a BPF program or by perf.
static int add_tracepoint(struct frec_source_set *set, const struct frec_listed *listed,
			  struct frec_error *reterr)
{
	struct frec_source source;
	bool taken = false;
	int r;

	if (!set->tracepoints_tried)
		try_tracepoints(set);
	r = frec__source_init(&source, set->tracefs, listed, NULL, reterr);
	if (r)
		return r;
	frec__source_set_stack(&source, frec__selections_stack(set->selections, listed));
	// Of some tracepoints perf counts nanoseconds, which a program cannot do.
	if (set->tracepoints && !(source.sample_type & PERF_SAMPLE_PERIOD))
		taken = !frec__tracepoints_take(set->tracepoints, &source);
	r = frec__source_set_add(set, &source, reterr);
	if (!r && taken)
		frec__tracepoints_begin(set->tracepoints, &set->source[set->count - 1]);
	return r;
}

static int found_event(void *context, const struct frec_listed *listed)
{
	struct search *search = context;
	struct frec_source_set *set = search->set;
	struct frec_error error;
	int r;

	if (!is_wanted(set, listed))
		return 0;
	if (idle_hits(listed))
		r = add_tracepoint(set, listed, &error);
	else
		r = frec__source_set_add_listed(
			set, listed, NULL, frec__selections_stack(set->selections, listed), &error);
	// A user event can vanish between being listed and being opened.
	if (!r || r == -ENOENT)
		return 0;
	if (search->strict) {
		if (search->reterr)
			*search->reterr = error;
		return r;
	}
	frec__report(LOG_WARNING, "%s:%s is not recorded: %s", listed->system, listed->name,
		     error.message);
	return 0;
}

// Completes the formats of the sources, beginning at index `from`, with what tracefs does not show,
// such as the names of enumerators. These are in the files of the programs that emit. Returns
// whether all were found.
static bool refine_from(struct frec_source_set *set, size_t from)
{
	bool all = true;

	for (size_t i = from; i < set->count; i++) {
		struct frec_source *source = &set->source[i];

		if (source->listed.kind == FLIGHTREC__SOURCE_KIND__SOURCE_EVENT)
			all &= frec__declarations_refine(set->declarations, source->listed.system,
							 source->listed.name, &source->format);
	}
	return all;
}

void frec__source_set_refine(struct frec_source_set *set)
{
	if (set->declared == set->declarations->count)
		return;
	set->declared = set->declarations->count;
	refine_from(set, 0);
}

int frec__source_set_find(struct frec_source_set *set, bool strict, struct frec_error *reterr)
{
	struct search search = {.set = set, .strict = strict, .reterr = reterr};
	size_t before = set->count;
	int r = walk_selected(set, found_event, &search);

	if (r)
		return r;
	if (!refine_from(set, before)) {
		frec__declarations_add_machine(set->declarations);
		refine_from(set, before);
	}
	return 0;
}

size_t frec__source_set_wanted(struct frec_source_set *set)
{
	struct wanted wanted = {.set = set, .count = set->count};

	for (size_t i = 0; i < set->count; i++) {
		struct frec_source *source = &set->source[i];

		for (size_t at = 0; at < source->opened; at++) {
			if (source->fd[at] >= 0)
				close(source->fd[at]);
			source->fd[at] = -1;
		}
	}
	(void)walk_selected(set, count_event, &wanted);
	return wanted.count;
}

int frec__source_set_open_cpus(struct frec_source_set *set, struct frec_sideband *sideband,
			       struct frec_error *reterr)
{
	size_t at;
	int r;

	while ((r = frec__ring_set_open_next(set->rings, sideband, &at, reterr)) > 0) {
		for (size_t i = 0; i < set->count; i++) {
			r = frec__source_open(&set->source[i], at, &set->rings->ring[at], reterr);
			if (r)
				return r;
		}
		open_crash_ring(set, &set->rings->ring[at]);
	}
	return r;
}

int frec__source_set_reserve(struct frec_source_set *set, struct frec_error *reterr)
{
	return frec__ring_set_reserve(set->rings, set->count, reterr);
}

static void refresh_cpus(struct frec_source_set *set, struct frec_sideband *sideband)
{
	struct frec_error error;

	if (!frec__ring_set_refresh(set->rings, sideband))
		return;
	if (frec__source_set_open_cpus(set, sideband, &error))
		frec__report(LOG_ERR, "%s", error.message);
	// The rings that were opened need room for their copies, even if something else failed to
	// open.
	if (frec__source_set_reserve(set, &error))
		frec__report(LOG_ERR, "%s", error.message);
}

static void refresh_events(struct frec_source_set *set)
{
	FREC_FREE char *status =
		frec__read_file_at(set->tracefs, "user_events_status", EVENTS_STATUS_MAX);
	struct frec_error error;
	size_t before = set->count;

	if (!status || (set->events_status && !strcmp(status, set->events_status)))
		return;
	frec__source_set_find(set, false, NULL);
	if (set->count != before && frec__source_set_reserve(set, &error))
		frec__report(LOG_ERR, "%s", error.message);
	free(set->events_status);
	set->events_status = FREC_TAKE_PTR(status);
}

void frec__source_set_refresh(struct frec_source_set *set, struct frec_sideband *sideband)
{
	refresh_cpus(set, sideband);
	refresh_events(set);
}
