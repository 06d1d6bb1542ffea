// SPDX-License-Identifier: MIT
// Keeping rings and sources in step with the machine.
#include "recorder/engine_sources.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "proto/read_file.h"
#include "proto/report.h"
#include "recorder/declared/declared_files.h"
#include "recorder/declared/declared_kinds.h"
#include "recorder/rings/perf_ring.h"
#include "recorder/sources/crash_program.h"
#include "recorder/service/data_file.h"

#define CPUS_ONLINE "/sys/devices/system/cpu/online"

// Calls back for each number of a list such as "0-3,8".
static int each_cpu(const char *list, int (*visit)(void *context, int cpu), void *context)
{
	int r = 0;

	while (*list && *list != '\n' && !r) {
		char *end;
		long first = strtol(list, &end, 10), last = first;

		if (end == list)
			return -EBADMSG;
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		for (long cpu = first; cpu <= last && !r; cpu++)
			r = visit(context, (int)cpu);
		list = *end == ',' ? end + 1 : end;
	}
	return r;
}

static int same_cpu(void *context, int cpu)
{
	return *(int *)context == cpu;
}

static bool cpu_in_list(const char *list, int cpu)
{
	return each_cpu(list, same_cpu, &cpu) > 0;
}

struct opening {
	struct frec_engine *engine;
	struct frec_error *reterr;
};

// A ring that is back on a CPU that was away takes the place of the old one: sources and rings keep
// their order.
static int open_cpu(void *context, int cpu)
{
	struct opening *opening = context;
	struct frec_engine *engine = opening->engine;
	struct frec_ring *grown, ring;
	size_t at;
	int r;

	for (at = 0; at < engine->ring_count; at++) {
		if (!engine->ring[at].shm && engine->ring[at].cpu == cpu)
			break;
	}
	if (at < engine->ring_count && !engine->ring[at].offline)
		return 0;
	r = frec__perf_ring_open(&ring, cpu, engine->options.ring_size, opening->reterr);
	if (r)
		return r;
	ring.since = frec__monotonic();
	r = frec__sideband_open(&engine->sideband, cpu, opening->reterr);
	if (r) {
		frec__ring_close(&ring);
		return r;
	}
	if (at == engine->ring_count) {
		grown = reallocarray(engine->ring, at + 1, sizeof(*grown));
		if (!grown) {
			frec__sideband_close(&engine->sideband, cpu);
			frec__ring_close(&ring);
			return frec__error(opening->reterr, -ENOMEM, "out of memory");
		}
		engine->ring = grown;
		engine->ring_count++;
	} else {
		frec__report(
			LOG_NOTICE,
			"CPU %d is back: its ring begins anew, what it held from before is gone",
			cpu);
		frec__ring_close(&engine->ring[at]);
	}
	engine->ring[at] = ring;
	for (size_t i = 0; i < engine->source_count && !r; i++)
		r = frec__source_open(&engine->source[i], at, &engine->ring[at], opening->reterr);
	return r;
}

int frec__engine_open_cpus(struct frec_engine *engine, struct frec_error *reterr)
{
	struct opening opening = {.engine = engine, .reterr = reterr};

	engine->cpus_online = frec__read_file_at(AT_FDCWD, CPUS_ONLINE, 4096);
	if (!engine->cpus_online)
		return frec__error(reterr, -errno, "%s: %s", CPUS_ONLINE, strerror(errno));
	return each_cpu(engine->cpus_online, open_cpu, &opening);
}

int frec__engine_open_source(struct frec_engine *engine, struct frec_source *source,
			     struct frec_error *reterr)
{
	struct frec_source *grown;
	int r = 0;

	if (engine->source_count == FREC_SOURCES_MAX)
		r = frec__error(reterr, -E2BIG,
				"the selection matches more than %d events: narrow it",
				FREC_SOURCES_MAX);
	for (size_t i = 0; i < engine->ring_count && !r; i++)
		r = frec__source_open(source, i, &engine->ring[i], reterr);
	grown = r ? NULL : reallocarray(engine->source, engine->source_count + 1, sizeof(*grown));
	if (!grown) {
		frec__source_deinit(source);
		return r ? r : frec__error(reterr, -ENOMEM, "out of memory");
	}
	source->since = frec__monotonic();
	engine->source = grown;
	grown[engine->source_count++] = *source;
	return 0;
}

int frec__engine_add_source(struct frec_engine *engine, const struct frec_listed *listed,
			    const char *filter, const struct frec_stack_choice *stack,
			    struct frec_error *reterr)
{
	struct frec_source source;
	int r = frec__source_init(&source, engine->tracefs, listed, filter, reterr);

	if (r)
		return r;
	frec__source_set_stack(&source, stack);
	return frec__engine_open_source(engine, &source, reterr);
}

bool frec__engine_is_of_services(const struct frec_engine *engine,
				 const struct frec_selection *selection)
{
	return selection->kind == FREC_SELECT_EVENT &&
	       !frec__catalog_is_kernel(engine->tracefs, selection->name);
}

const struct frec_stack_choice *frec__engine_stack(const struct frec_engine *engine,
						   const struct frec_listed *listed)
{
	const struct frec_stack_choice *choice = &engine->options.stack;

	for (size_t i = 0; i < engine->selections; i++) {
		const struct frec_selection *selection = &engine->selection[i];

		if (selection->kind == FREC_SELECT_EVENT && selection->stack.is_set &&
		    frec__catalog_matches(selection->name, listed))
			choice = &selection->stack;
	}
	return choice;
}

int frec__engine_open_crash_source(struct frec_engine *engine, struct frec_error *reterr)
{
	static const struct frec_listed deliver = {
		.kind = FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT,
		.system = "signal",
		.name = "signal_deliver",
		.group = "signal",
		.kernel_name = "signal_deliver"};
	// A small ring is not there for one crash alone.
	uint64_t bytes = engine->options.ring_size / 8;
	const struct frec_stack_choice stack = {
		.bytes = bytes < FREC_CRASH_STACK_MAX ? (uint32_t)bytes : FREC_CRASH_STACK_MAX};
	struct frec_source fatal_signal = {0};

	// Without BPF the address is missing, and nothing else.
	if (!frec__crash_program_create(&engine->crash_program, &fatal_signal,
					&engine->no_addresses)) {
		int r = frec__engine_open_source(engine, &fatal_signal, reterr);

		if (r)
			return r;
	}
	return frec__engine_add_source(engine, &deliver, FREC_CRASH_FILTER, &stack, reterr);
}

bool frec__engine_selects(const struct frec_engine *engine, const struct frec_declared *event)
{
	char shown[512];

	snprintf(shown, sizeof(shown), "%s:%s", event->provider, event->name);
	for (size_t i = 0; i < engine->selections; i++) {
		if (engine->selection[i].kind == FREC_SELECT_EVENT &&
		    !fnmatch(engine->selection[i].name, shown, 0))
			return true;
	}
	return !strcmp(event->provider, "flightrec");
}

struct search {
	struct frec_engine *engine;
	bool strict;
	struct frec_error *reterr;
	size_t found;
};

static int found_event(void *context, const struct frec_listed *listed)
{
	struct search *search = context;
	struct frec_engine *engine = search->engine;
	struct frec_error error;
	int r;

	// Those come in another way.
	if (listed->kind == FLIGHTREC__SOURCE_KIND__SOURCE_EVENT &&
	    engine->transport != FREC_TRANSPORT_USER_EVENTS)
		return 0;
	for (size_t i = 0; i < engine->source_count; i++) {
		const struct frec_source *source = &engine->source[i];

		// The crash source is the same tracepoint with a filter: one of ours, not what was
		// selected.
		if (!frec__source_is_crash(source) &&
		    !strcmp(source->listed.group, listed->group) &&
		    !strcmp(source->listed.kernel_name, listed->kernel_name))
			return 0;
	}
	r = frec__engine_add_source(engine, listed, NULL, frec__engine_stack(engine, listed),
				    &error);
	if (!r) {
		search->found++;
		return 0;
	}
	// A user event can vanish between being listed and being opened.
	if (r == -ENOENT)
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

// Names of enumerators and the like are in the files of the programs that emit.
static void refine_sources(struct frec_engine *engine, size_t from)
{
	bool scanned = false;

	for (size_t i = from; i < engine->source_count; i++) {
		struct frec_source *source = &engine->source[i];

		if (source->listed.kind != FLIGHTREC__SOURCE_KIND__SOURCE_EVENT)
			continue;
		if (frec__declarations_refine(&engine->declarations, source->listed.system,
					      source->listed.name, &source->format) ||
		    scanned)
			continue;
		scanned = true;
		frec__declarations_add_machine(&engine->declarations);
		frec__declarations_refine(&engine->declarations, source->listed.system,
					  source->listed.name, &source->format);
	}
}

int frec__engine_find_sources(struct frec_engine *engine, bool strict, struct frec_error *reterr)
{
	struct search search = {.engine = engine, .strict = strict, .reterr = reterr};
	size_t before = engine->source_count;
	int r = 0;

	for (size_t i = 0; i < engine->selections && !r; i++) {
		if (engine->selection[i].kind == FREC_SELECT_EVENT)
			r = frec__catalog_walk(engine->tracefs, engine->selection[i].name,
					       found_event, &search);
	}
	if (!r)
		r = frec__catalog_walk(engine->tracefs, "flightrec:*", found_event, &search);
	if (r)
		return r;
	refine_sources(engine, before);
	return 0;
}

int frec__engine_reserve(struct frec_engine *engine, struct frec_error *reterr)
{
	int r = frec__capture_reserve(&engine->capture, engine->ring_count,
				      engine->options.ring_size, engine->source_count);

	return r ? frec__error(reterr, r,
			       "no memory for copies of %zu rings of %" PRIu64
			       " KiB: use a smaller --ring-size",
			       engine->ring_count, engine->options.ring_size >> 10)
		 : 0;
}

// Between two looks at whether the rings are alive: a reading interrupts its CPU.
#define ALIVE_INTERVAL UINT64_C(1000000000)

static bool all_alive(struct frec_engine *engine)
{
	bool alive = true;

	if (frec__monotonic() - engine->looked_alive < ALIVE_INTERVAL)
		return true;
	engine->looked_alive = frec__monotonic();
	for (size_t i = 0; i < engine->ring_count; i++) {
		struct frec_ring *ring = &engine->ring[i];

		if (ring->shm || ring->offline || frec__perf_ring_alive(ring))
			continue;
		ring->offline = true;
		frec__sideband_close(&engine->sideband, ring->cpu);
		alive = false;
	}
	return alive;
}

static void look_at_cpus(struct frec_engine *engine)
{
	FREC_FREE char *online = frec__read_file_at(AT_FDCWD, CPUS_ONLINE, 4096);
	struct opening opening = {.engine = engine};
	struct frec_error error = {0};

	if (all_alive(engine) && (!online || !strcmp(online, engine->cpus_online)))
		return;
	if (!online)
		return;
	opening.reterr = &error;
	for (size_t i = 0; i < engine->ring_count; i++) {
		struct frec_ring *ring = &engine->ring[i];

		if (ring->shm || ring->offline || cpu_in_list(online, ring->cpu))
			continue;
		ring->offline = true;
		frec__sideband_close(&engine->sideband, ring->cpu);
		frec__report(LOG_NOTICE, "CPU %d went offline: its ring stays as it is", ring->cpu);
	}
	// What did open needs its room for a copy, whatever did not.
	if (each_cpu(online, open_cpu, &opening))
		frec__report(LOG_ERR, "%s", error.message);
	if (frec__engine_reserve(engine, &error))
		frec__report(LOG_ERR, "%s", error.message);
	free(engine->cpus_online);
	engine->cpus_online = FREC_TAKE_PTR(online);
}

static void look_for_events(struct frec_engine *engine)
{
	FREC_FREE char *status = frec__read_file_at(engine->tracefs, "user_events_status", 4 << 20);
	struct frec_error error;
	size_t before = engine->source_count;

	if (!status || (engine->events_status && !strcmp(status, engine->events_status)))
		return;
	frec__engine_find_sources(engine, false, NULL);
	if (engine->source_count != before && frec__engine_reserve(engine, &error))
		frec__report(LOG_ERR, "%s", error.message);
	free(engine->events_status);
	engine->events_status = FREC_TAKE_PTR(status);
}

void frec__engine_look(struct frec_engine *engine)
{
	if (!engine->kernel)
		return;
	look_at_cpus(engine);
	look_for_events(engine);
}

int frec__engine_preload(struct frec_engine *engine, const char *path, struct frec_error *reterr)
{
	int r = frec__declarations_add_file(&engine->declarations, path, true);

	if (r)
		return frec__error(reterr, r, "%s: %s", path, strerror(-r));
	if (engine->transport != FREC_TRANSPORT_USER_EVENTS)
		return 0;
	if (engine->events_fd < 0)
		engine->events_fd =
			openat(engine->tracefs, "user_events_data", O_WRONLY | O_CLOEXEC);
	if (engine->events_fd < 0)
		return frec__error(reterr, -errno,
				   "user_events_data: %s: 'flightrec doctor' tells more",
				   strerror(errno));
	for (size_t i = 0; i < engine->declarations.count; i++) {
		const struct frec_declared *event = &engine->declarations.event[i];
		FREC_FREE char *registration = NULL;
		// A word each, which nobody looks at: this process emits nothing.
		static uint32_t enabled[FREC_SOURCES_MAX];
		uint32_t index;

		if (i == FREC_SOURCES_MAX)
			break;
		if (!frec__engine_selects(engine, event))
			continue;
		registration = frec__declared_registration(event);
		if (!registration)
			return frec__error(reterr, -ENOMEM, "out of memory");
		r = frec__data_file_register(engine->events_fd, registration, &enabled[i],
					     FREC__USER_EVENTS_BIT, &index);
		if (r)
			frec__report(LOG_WARNING,
				     "%s:%s cannot be registered ahead of its program: %s",
				     event->provider, event->name, strerror(-r));
	}
	r = frec__engine_find_sources(engine, true, reterr);
	return r ? r : frec__engine_reserve(engine, reterr);
}
