// SPDX-License-Identifier: MIT
// Starting and stopping the recorder engine: what this process may do and what was asked for become
// a transport, a sideband, rings and sources, in the order in which each needs the ones before.
#include "proto/clocks.h"
#include "proto/report.h"
#include "recorder/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#include "recorder/sources/crash_program.h"
#include "recorder/engine_cores.h"
#include "recorder/engine_ends.h"
#include "recorder/engine_shm.h"
#include "recorder/engine_sources.h"
#include "recorder/engine_usdt.h"
#include "recorder/processes/proc_scan.h"
#include "recorder/sources/foreign.h"
#include "recorder/rings/perf.h"

// Whether this process may watch the kernel. What is missing beyond that, a CPU's ring that is too
// large say, is a failure.
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

// Without the right to watch the kernel: is what was asked for to be had?
static int do_without_kernel(const struct frec_engine *engine, struct frec_error *reterr)
{
	const struct frec_engine_options *options = &engine->options;
	int r = engine->no_kernel.code;

	for (size_t i = 0; i < engine->selections; i++) {
		if (!frec__engine_is_of_services(engine, &engine->selection[i]))
			return frec__error(reterr, r, "-e %s: only the kernel can tell of this: %s",
					   options->selection[i], engine->no_kernel.message);
	}
	if (options->transport != FREC_TRANSPORT_AUTO && options->transport != FREC_TRANSPORT_SHM)
		return frec__error(reterr, r, "--transport %s: %s",
				   frec__transport_names[options->transport],
				   engine->no_kernel.message);
	if (!options->hands_memory)
		return frec__error(reterr, r, "%s", engine->no_kernel.message);
	return 0;
}

static int parse_selections(struct frec_engine *engine, struct frec_error *reterr)
{
	const struct frec_engine_options *options = &engine->options;
	size_t count = 0;
	int r = frec__stack_check_ring(&options->stack, options->ring_size, "--stack", reterr);

	while (options->selection[count])
		count++;
	engine->selection = calloc(count + 1, sizeof(*engine->selection));
	if (!engine->selection)
		return frec__error(reterr, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count && !r; i++) {
		struct frec_selection *selection = &engine->selection[i];
		char whose[400];

		r = frec__selection_parse(selection, options->selection[i], reterr);
		if (r)
			return r;
		engine->selections++;
		if (!selection->stack.is_set)
			selection->stack = options->stack;
		snprintf(whose, sizeof(whose), "-e %s", selection->text);
		r = frec__stack_check_ring(&selection->stack, options->ring_size, whose, reterr);
	}
	return r;
}

static int check_selections(const struct frec_engine *engine, struct frec_error *reterr)
{
	int r = 0;

	for (size_t i = 0; i < engine->selections && !r; i++) {
		if (engine->selection[i].kind == FREC_SELECT_EVENT)
			r = frec__catalog_check(engine->tracefs, engine->selection[i].name, reterr);
	}
	return r;
}

static int open_foreign(void *context, struct frec_source *source, struct frec_error *reterr)
{
	return frec__engine_open_source(context, source, reterr);
}

static int choose_transport(struct frec_engine *engine, struct frec_error *reterr)
{
	bool user_events =
		engine->kernel && !faccessat(engine->tracefs, "user_events_data", W_OK, AT_EACCESS);

	engine->transport = engine->options.transport;
	if (engine->transport == FREC_TRANSPORT_SHM && !engine->options.hands_memory)
		return frec__error(reterr, -EINVAL,
				   "--transport shm: services get the memory from a recorder with "
				   "--listen SOCKET");
	if (engine->transport == FREC_TRANSPORT_AUTO)
		engine->transport = user_events	     ? FREC_TRANSPORT_USER_EVENTS
				    : engine->kernel ? FREC_TRANSPORT_USDT
						     : FREC_TRANSPORT_SHM;
	if (engine->transport == FREC_TRANSPORT_USER_EVENTS && !user_events)
		return frec__error(reterr, -ENOTSUP,
				   "this kernel has no user_events (CONFIG_USER_EVENTS): use "
				   "--transport usdt or shm");
	return 0;
}

static int start_usdt(struct frec_engine *engine, struct frec_error *reterr)
{
	int r = frec__engine_start_usdt(engine, reterr);

	// The kernel may be watched, but runs no BPF programs for us.
	if (r && engine->options.transport == FREC_TRANSPORT_AUTO && engine->options.hands_memory) {
		engine->transport = FREC_TRANSPORT_SHM;
		r = 0;
	}
	return r;
}

// Events that services write themselves carry no stacks: nobody else is there who could take one.
static int check_stacks(const struct frec_engine *engine, struct frec_error *reterr)
{
	const struct frec_selection *asked = NULL;

	for (size_t i = 0; i < engine->selections && !asked; i++) {
		if (frec__engine_is_of_services(engine, &engine->selection[i]) &&
		    frec__stack_any(&engine->selection[i].stack))
			asked = &engine->selection[i];
	}
	if (!asked || engine->transport != FREC_TRANSPORT_SHM)
		return 0;
	if (engine->options.transport == FREC_TRANSPORT_SHM)
		return frec__error(reterr, -EINVAL,
				   "-e %s: with --transport shm there are no stacks: use another "
				   "transport, or "
				   "/stack=none/",
				   asked->text);
	if (!engine->kernel)
		return frec__error(reterr, engine->no_kernel.code,
				   "-e %s: only the kernel takes stacks: %s", asked->text,
				   engine->no_kernel.message);
	frec__report(LOG_WARNING,
		     "-e %s: events come in without stacks, because neither user_events nor "
		     "breakpoints work "
		     "here: 'flightrec doctor' tells more",
		     asked->text);
	return 0;
}

// Crashes, names, and whatever the kernel writes.
static int start_kernel(struct frec_engine *engine, struct frec_error *reterr)
{
	int r = frec__sideband_init(&engine->sideband, engine->tracefs, &engine->processes, reterr);

	engine->sideband.alert = frec__engine_alert;
	engine->sideband.context = engine;
	if (!r && engine->transport == FREC_TRANSPORT_USDT)
		r = start_usdt(engine, reterr);
	return r ? r : frec__engine_open_cpus(engine, reterr);
}

static int start_kernel_sources(struct frec_engine *engine, struct frec_error *reterr)
{
	int r = frec__engine_open_crash_source(engine, reterr);

	if (!r)
		r = frec__engine_find_sources(engine, true, reterr);
	if (!r)
		r = frec__foreign_create(&engine->foreign, engine->selection, engine->selections,
					 open_foreign, engine, reterr);
	if (!r)
		r = frec__engine_reserve(engine, reterr);
	return r ? r : frec__engine_find_sites(engine, reterr);
}

int frec__engine_start(struct frec_engine *engine, const struct frec_engine_options *options,
		       struct frec_error *reterr)
{
	int r;

	*engine = (struct frec_engine){.options = *options,
				       .transport = FREC_TRANSPORT_USER_EVENTS,
				       .tracefs = -1,
				       .events_fd = -1};
	frec__perf_raise_file_limit();
	r = parse_selections(engine, reterr);
	if (!r)
		r = reach_kernel(engine, &engine->no_kernel) ? do_without_kernel(engine, reterr)
							     : 0;
	if (!r)
		r = choose_transport(engine, reterr);
	if (!r)
		r = check_selections(engine, reterr);
	if (!r)
		r = frec__folder_open(&engine->folder, options->folder, options->fallback,
				      options->quota, reterr);
	frec__clocks_read(&engine->start);
	if (!r && engine->kernel)
		r = start_kernel(engine, reterr);
	if (!r)
		r = check_stacks(engine, reterr);
	engine->recording_since = frec__monotonic();
	if (!r && engine->transport == FREC_TRANSPORT_SHM) {
		int fd = frec__engine_shm_fd(engine, geteuid(), 0, reterr);

		r = fd < 0 ? fd : 0;
	}
	// The sideband is on: whoever is born from here on is seen, whoever was there before is
	// scanned.
	if (!r)
		r = frec__process_table_scan(&engine->processes);
	if (!r && engine->kernel)
		r = start_kernel_sources(engine, reterr);
	if (r)
		frec__engine_stop(engine);
	return r;
}

void frec__engine_stop(struct frec_engine *engine)
{
	frec__engine_stop_usdt(engine);
	frec__crash_program_destroy(engine->crash_program);
	frec__foreign_destroy(engine->foreign);
	for (size_t i = 0; i < engine->source_count; i++)
		frec__source_deinit(&engine->source[i]);
	frec__capture_deinit(&engine->capture, engine->options.ring_size);
	for (size_t i = 0; i < engine->ring_count; i++)
		frec__ring_close(&engine->ring[i]);
	frec__engine_stop_shm(engine);
	frec__engine_stop_cores(engine);
	frec__engine_stop_ends(engine);
	frec__sideband_deinit(&engine->sideband);
	frec__process_table_deinit(&engine->processes);
	frec__declarations_deinit(&engine->declarations);
	frec__deaths_deinit(&engine->deaths);
	for (size_t i = 0; i < engine->selections; i++)
		frec__selection_deinit(&engine->selection[i]);
	free(engine->selection);
	free(engine->source);
	free(engine->ring);
	free(engine->watched);
	free(engine->cpus_online);
	free(engine->events_status);
	if (engine->events_fd >= 0)
		close(engine->events_fd);
	if (engine->tracefs >= 0)
		close(engine->tracefs);
	*engine = (struct frec_engine){.tracefs = -1, .events_fd = -1};
}
