// SPDX-License-Identifier: MIT
// Starting and stopping the recorder engine. The rights of this process and the options determine
// the transport. Then the sideband, the rings and the sources are set up, in this order, because
// each needs the ones before.
#include "recorder/engine_start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/clocks.h"
#include "proto/limits.h"
#include "proto/report.h"
#include "recorder/processes/proc_scan.h"
#include "recorder/rings/perf.h"
#include "recorder/sources/foreign.h"

// Returns 0 if this process may watch the kernel. In that case, everything that fails later is an
// error, such as a ring that is too large. Otherwise returns a negative errno, and the engine may
// do without the kernel.
static int reach_kernel(struct frec_engine *engine, struct frec_error *reterr)
{
	int r = frec__catalog_open(reterr);

	if (r < 0)
		return r;
	engine->tracefs = r;
	r = frec__perf_allowed(reterr);
	engine->kernel = !r;
	if (r) {
		close(engine->tracefs);
		engine->tracefs = -1;
	}
	return r;
}

// Checks that the options can be satisfied without the right to watch the kernel.
static int do_without_kernel(const struct frec_engine *engine, struct frec_error *reterr)
{
	const struct frec_engine_options *options = &engine->options;
	const struct frec_selection *selection =
		frec__selections_beyond_services(&engine->selections, engine->tracefs);
	int r = engine->no_kernel.code;

	if (selection)
		return frec__error(reterr, r, "-e %s: only the kernel can tell of this: %s",
				   selection->text, engine->no_kernel.message);
	if (options->transport != FREC_TRANSPORT_AUTO && options->transport != FREC_TRANSPORT_SHM)
		return frec__error(reterr, r, "--transport %s: %s",
				   frec__transport_names[options->transport],
				   engine->no_kernel.message);
	if (!options->hands_memory)
		return frec__error(reterr, r, "%s", engine->no_kernel.message);
	return 0;
}

static const struct frec_selection *service_stacks(
	const struct frec_engine *engine, bool (*is_meant)(const struct frec_stack_choice *choice))
{
	return frec__selections_with_stacks(&engine->selections, engine->tracefs, true, is_meant);
}

static int choose_transport(struct frec_engine *engine, struct frec_error *reterr)
{
	bool user_events =
		engine->kernel && !faccessat(engine->tracefs, "user_events_data", W_OK, AT_EACCESS);
	const struct frec_engine_options *options = &engine->options;
	const struct frec_selection *stacks = service_stacks(engine, frec__stack_any);
	const struct frec_selection *self = service_stacks(engine, frec__stack_by_service_only);
	const struct frec_transport_facts facts = {.user_events = user_events,
						   .kernel = engine->kernel,
						   .whole_machine = !options->hands_memory ||
								    options->serves_others,
						   .memory_taken = options->memory_taken,
						   .stacks = stacks ? stacks->text : NULL,
						   .self = self ? self->text : NULL};

	engine->transport = options->transport;
	snprintf(engine->transport_why, sizeof(engine->transport_why), "--transport asked for it");
	if (engine->transport == FREC_TRANSPORT_SHM && !options->hands_memory)
		return frec__error(reterr, -EINVAL,
				   "--transport shm: services get the memory from a recorder with "
				   "--listen SOCKET");
	if (engine->transport == FREC_TRANSPORT_AUTO)
		engine->transport = frec__transport_choose(&facts, engine->transport_why,
							   sizeof(engine->transport_why));
	if (engine->transport == FREC_TRANSPORT_USER_EVENTS && !user_events)
		return frec__error(reterr, -ENOTSUP,
				   "this kernel has no user_events (CONFIG_USER_EVENTS): use "
				   "--transport usdt or shm");
	return 0;
}

// Only services take some stacks, and only with events that they write into shared memory.
static int check_stacks_of_services(const struct frec_engine *engine, struct frec_error *reterr)
{
	const struct frec_selection *selection = frec__selections_with_stacks(
		&engine->selections, engine->tracefs, false, frec__stack_by_service_only);

	if (selection)
		return frec__error(reterr, -EINVAL,
				   "-e %s: stack=self is for events of services, which take it "
				   "themselves: use stack=fp or stack=dwarf",
				   selection->text);
	selection = service_stacks(engine, frec__stack_by_service_only);
	if (selection && engine->transport != FREC_TRANSPORT_SHM)
		return frec__error(reterr, -EINVAL,
				   "-e %s: stack=self comes with events in shared memory only: use "
				   "--transport shm, or stack=fp or stack=dwarf",
				   selection->text);
	return 0;
}

// Only the kernel takes the other stacks, and events that services write themselves have none.
static int check_stacks(const struct frec_engine *engine, struct frec_error *reterr)
{
	const struct frec_selection *selection = service_stacks(engine, frec__stack_by_kernel_only);
	int r = check_stacks_of_services(engine, reterr);

	if (r || !selection || engine->transport != FREC_TRANSPORT_SHM)
		return r;
	if (engine->options.transport == FREC_TRANSPORT_SHM)
		return frec__error(reterr, -EINVAL,
				   "-e %s: with --transport shm there are no such stacks: use "
				   "/stack=fp/, /stack=self/ or /stack=none/, or another transport",
				   selection->text);
	if (!engine->kernel)
		return frec__error(reterr, engine->no_kernel.code,
				   "-e %s: only the kernel takes such stacks, while services take "
				   "/stack=fp/ and /stack=self/: %s",
				   selection->text, engine->no_kernel.message);
	frec__report(LOG_WARNING,
		     "-e %s: events come in without stacks, because neither user_events nor "
		     "breakpoints work here: 'flightrec doctor' tells more",
		     selection->text);
	return 0;
}

static void on_mapped(void *context, uint32_t pid, const struct frec_mapping *map)
{
	struct frec_engine *engine = context;

	frec__breakpoints_mapped(&engine->breakpoints, pid, map);
}

static int start_breakpoints(struct frec_engine *engine, struct frec_error *reterr)
{
	struct frec_error error = {0};
	int r = frec__breakpoints_init(&engine->breakpoints, &engine->sources, &engine->processes,
				       &error);

	if (!r) {
		engine->sideband.mapped = on_mapped;
		return 0;
	}
	// This process has the right to watch the kernel, but cannot load the BPF program that
	// breakpoints need. So services write their events into shared memory, if that is allowed.
	if (engine->options.transport == FREC_TRANSPORT_AUTO && engine->options.hands_memory) {
		engine->transport = FREC_TRANSPORT_SHM;
		snprintf(engine->transport_why, sizeof(engine->transport_why),
			 "breakpoints do not work here: %s", error.message);
		return 0;
	}
	return frec__error(reterr, r, "%s", error.message);
}

// Starts the sideband, which reports crashes and names. Then opens the rings that the kernel
// writes.
static int start_kernel(struct frec_engine *engine, struct frec_error *reterr)
{
	int r = frec__sideband_init(&engine->sideband, engine->tracefs, &engine->processes, reterr);

	engine->sideband.alert = frec__engine_alert;
	engine->sideband.context = engine;
	if (!r && engine->transport == FREC_TRANSPORT_USDT)
		r = start_breakpoints(engine, reterr);
	// Only services that read the clock themselves depend on its source.
	if (engine->transport != FREC_TRANSPORT_SHM)
		engine->sideband.available[FREC_ALERT_CLOCK] = false;
	// Before the first look at what is announced, so that nothing is missed.
	engine->blind = frec__announcements_open(&engine->announcements,
						 engine->transport == FREC_TRANSPORT_USER_EVENTS,
						 NULL) != 0;
	if (!r)
		r = frec__ring_set_read_cpus(&engine->rings, reterr);
	return r ? r : frec__source_set_open_cpus(&engine->sources, &engine->sideband, reterr);
}

static int add_foreign(void *context, struct frec_source *source, struct frec_error *reterr)
{
	return frec__source_set_add(context, source, reterr);
}

static int start_kernel_sources(struct frec_engine *engine, struct frec_error *reterr)
{
	int r = frec__source_set_add_crash(&engine->sources, reterr);

	engine->sources.crash_records.processes = &engine->processes;
	if (!r)
		r = frec__source_set_find(&engine->sources, true, reterr);
	if (!r)
		r = frec__foreign_create(&engine->foreign, engine->selections.selection,
					 engine->selections.count, add_foreign, &engine->sources,
					 reterr);
	if (!r)
		r = frec__source_set_reserve(&engine->sources, reterr);
	return r ? r : frec__breakpoints_find(&engine->breakpoints, reterr);
}

static bool may_write(void *context, uint32_t pid)
{
	const struct frec_memories *memories = context;

	return frec__watchlist_find(memories->watchlist,
				    frec__process_table_find(memories->processes, pid));
}

static bool is_awaited(void *context, uint32_t uid)
{
	const struct frec_engine *engine = context;

	return frec__deaths_has_user(&engine->deaths, uid) ||
	       frec__triggers_has_user(&engine->triggers, uid);
}

// Gives each part of the engine pointers to the parts that it uses. Call this after reach_kernel(),
// which finds out the rights of this process.
static void wire_parts(struct frec_engine *engine)
{
	engine->processes.mark_emitters = frec__engine_mark_emitters;
	engine->processes.context = engine;
	engine->sources = (struct frec_source_set){.rings = &engine->rings,
						   .selections = &engine->selections,
						   .declarations = &engine->declarations,
						   .tracefs = engine->tracefs,
						   .whole_machine = engine->options.watch ==
								    FREC_WATCH_EMITTERS};
	engine->memories = (struct frec_memories){
		.sources = &engine->sources,
		.processes = &engine->processes,
		.watchlist = &engine->watchlist,
		.guard = engine->options.guard || engine->options.transport == FREC_TRANSPORT_AUTO,
		.patience = engine->options.cooldown,
		.awaited = is_awaited,
		.context = engine};
	frec__pid_spaces_init(&engine->memories.spaces);
	engine->memories.spaces.writes = may_write;
	engine->memories.spaces.context = &engine->memories;
	engine->ends = (struct frec_ends){.needed = !engine->kernel,
					  .processes = &engine->processes,
					  .watchlist = &engine->watchlist,
					  .rings = &engine->rings,
					  .deaths = &engine->deaths};
}

static int check_options(struct frec_engine *engine, struct frec_error *reterr)
{
	const struct frec_engine_options *options = &engine->options;
	int r = frec__selections_parse(&engine->selections, options->selection, &options->stack,
				       options->ring_size, reterr);

	if (!r && reach_kernel(engine, &engine->no_kernel))
		r = do_without_kernel(engine, reterr);
	if (!r)
		r = choose_transport(engine, reterr);
	if (!r)
		r = frec__selections_check(&engine->selections, engine->tracefs, reterr);
	return r ? r
		 : frec__folder_open(&engine->store.folder, options->folder, options->fallback,
				     options->quota, reterr);
}

static int start(struct frec_engine *engine, struct frec_error *reterr)
{
	int r = engine->kernel ? start_kernel(engine, reterr) : 0;

	if (!r)
		r = check_stacks(engine, reterr);
	engine->recording_since = frec__monotonic();
	engine->sources.user_events = engine->transport == FREC_TRANSPORT_USER_EVENTS;
	if (!r && engine->transport == FREC_TRANSPORT_SHM) {
		int fd = frec__memories_fd(&engine->memories, geteuid(), 0, reterr);

		r = fd < 0 ? fd : 0;
	}
	frec__process_table_limit(&engine->processes, engine->rings.count * engine->rings.size);
	// The sideband is on: a process born from here on is reported, and the scan finds the
	// processes born before.
	if (!r)
		r = frec__process_table_scan(&engine->processes);
	return !r && engine->kernel ? start_kernel_sources(engine, reterr) : r;
}

// Descriptors that a recorder needs for itself, its clients and the processes that it watches.
#define FILES_BESIDE_SOURCES 64
// Descriptors for each CPU beside those of the sources: its ring, the two rings of its sideband
// with their alerts, and its crash ring with two sources.
#define FILES_OF_CPU (3 + FREC_ALERT_COUNT + 3)

// Reports that there are too few descriptors, and how many are needed.
static int files_error(struct frec_engine *engine, struct frec_error *reterr)
{
	uint64_t needed = FILES_BESIDE_SOURCES;

	if (engine->kernel) {
		long cpus = sysconf(_SC_NPROCESSORS_ONLN);
		size_t sources = frec__source_set_wanted(&engine->sources);

		needed += (uint64_t)cpus * (sources + FILES_OF_CPU);
	}
	return frec__limit_error(reterr, -EMFILE, needed,
				 "each source takes one descriptor for each CPU: select fewer "
				 "events, or allow more descriptors");
}

int frec__engine_start(struct frec_engine *engine, const struct frec_engine_options *options,
		       struct frec_error *reterr)
{
	int r;

	*engine = (struct frec_engine){.options = *options,
				       .transport = FREC_TRANSPORT_USER_EVENTS,
				       .tracefs = -1,
				       .next_look = 1, // at once
				       .announcements = FREC_ANNOUNCEMENTS_NONE};
	engine->cooldown.duration = options->cooldown;
	frec__ring_set_init(&engine->rings, options->ring_size);
	frec__preload_init(&engine->preload);
	frec__perf_raise_file_limit();
	r = check_options(engine, reterr);
	frec__clocks_read(&engine->start);
	wire_parts(engine);
	if (!r)
		r = start(engine, reterr);
	if (r == -EMFILE)
		r = files_error(engine, reterr);
	if (r)
		frec__engine_stop(engine);
	return r;
}

void frec__engine_stop(struct frec_engine *engine)
{
	frec__breakpoints_deinit(&engine->breakpoints);
	frec__foreign_destroy(engine->foreign);
	frec__source_set_deinit(&engine->sources);
	frec__ring_set_deinit(&engine->rings);
	frec__memories_deinit(&engine->memories);
	frec__kept_stacks_deinit(&engine->stacks);
	frec__ends_deinit(&engine->ends);
	frec__announcements_close(&engine->announcements);
	frec__sideband_deinit(&engine->sideband);
	frec__watchlist_deinit(&engine->watchlist);
	frec__process_table_deinit(&engine->processes);
	frec__declarations_deinit(&engine->declarations);
	frec__deaths_deinit(&engine->deaths);
	frec__selections_deinit(&engine->selections);
	frec__preload_deinit(&engine->preload);
	if (engine->tracefs >= 0)
		close(engine->tracefs);
	*engine = (struct frec_engine){.tracefs = -1, .announcements = FREC_ANNOUNCEMENTS_NONE};
	frec__preload_init(&engine->preload);
}
