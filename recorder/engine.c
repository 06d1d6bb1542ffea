// SPDX-License-Identifier: MIT
// The recorder engine: starting and stopping, and the work of its loop. Which sources and CPUs there are is kept up to
// date in engine_sources.c.
#include "recorder/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "recorder/cleanup.h"
#include "recorder/crash_program.h"
#include "recorder/engine_ends.h"
#include "recorder/engine_shm.h"
#include "recorder/engine_sources.h"
#include "recorder/engine_usdt.h"
#include "recorder/foreign.h"
#include "recorder/perf.h"

// How often the loop looks for new events and CPUs, in milliseconds; see "How soon" in ARCHITECTURE.md.
#define LOOK_INTERVAL 20
// How often it looks whether a dying process is gone.
#define DEATH_INTERVAL 2

const char *const frec__transport_names[] = {"auto", "user_events", "usdt", "shm"};

static uint64_t bytes_written(const struct frec_engine *engine)
{
	uint64_t most = 0;

	for (size_t i = 0; i < engine->ring_count; i++) {
		uint64_t written = frec__ring_written(&engine->ring[i]);

		if (written > most)
			most = written;
	}
	return most;
}

const struct frec_watched *frec__engine_find_watched(const struct frec_engine *engine, uint32_t pid)
{
	for (size_t i = 0; i < engine->watched_count; i++) {
		if (frec__process_table_descends(&engine->processes, pid, engine->watched[i].pid))
			return &engine->watched[i];
	}
	return NULL;
}

// The process of a thread: alerts about SIGKILL name the thread that it was aimed at.
static uint32_t process_of(const struct frec_engine *engine, uint32_t tid)
{
	if (frec__process_table_find(&engine->processes, tid))
		return tid;
	for (size_t i = 0; i < FREC_PROCESS_BUCKETS; i++) {
		const struct frec_process *process = engine->processes.bucket[i];

		for (; process; process = process->next) {
			for (size_t t = 0; t < process->threads; t++) {
				if (process->thread[t].tid == tid && !process->exit)
					return process->pid;
			}
		}
	}
	return tid;
}

static void on_alert(void *context, const struct frec_alert *alert)
{
	struct frec_engine *engine = context;
	uint32_t pid = alert->pid ? alert->pid : process_of(engine, alert->tid);
	const struct frec_watched *watched = frec__engine_find_watched(engine, pid);

	if (alert->kind == FREC_ALERT_EXEC)
		return;
	if (!watched && engine->options.watch == FREC_WATCH_DESCENDANTS)
		return;
	frec__deaths_note(&engine->deaths, alert, pid, watched ? watched->only_uid : -1, watched,
			  bytes_written(engine));
}

void frec__engine_note_death(struct frec_engine *engine, const struct frec_alert *alert, uint32_t pid,
			     int64_t only_uid)
{
	frec__deaths_note(&engine->deaths, alert, pid, only_uid, true, bytes_written(engine));
}

// Whether this process may watch the kernel. What is missing beyond that, a CPU's ring that is too large say, is a failure.
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
		return frec__error(reterr, r, "--transport %s: %s", frec__transport_names[options->transport],
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
		if (!selection->stack.said)
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
	bool user_events = engine->kernel &&
			   !faccessat(engine->tracefs, "user_events_data", W_OK, AT_EACCESS);

	engine->transport = engine->options.transport;
	if (engine->transport == FREC_TRANSPORT_SHM && !engine->options.hands_memory)
		return frec__error(reterr, -EINVAL,
				   "--transport shm: services get the memory from a recorder with --listen SOCKET");
	if (engine->transport == FREC_TRANSPORT_AUTO)
		engine->transport = user_events	     ? FREC_TRANSPORT_USER_EVENTS
				    : engine->kernel ? FREC_TRANSPORT_USDT
						     : FREC_TRANSPORT_SHM;
	if (engine->transport == FREC_TRANSPORT_USER_EVENTS && !user_events)
		return frec__error(reterr, -ENOTSUP,
				   "this kernel has no user_events (CONFIG_USER_EVENTS): use --transport usdt or shm");
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
				   "-e %s: with --transport shm there are no stacks: use another transport, or "
				   "/stack=none/",
				   asked->text);
	if (!engine->kernel)
		return frec__error(reterr, engine->no_kernel.code, "-e %s: only the kernel takes stacks: %s",
				   asked->text, engine->no_kernel.message);
	frec__report(LOG_WARNING,
		     "-e %s: events come in without stacks, because neither user_events nor breakpoints work "
		     "here: 'flightrec doctor' tells more",
		     asked->text);
	return 0;
}

// Crashes, names, and whatever the kernel writes.
static int start_kernel(struct frec_engine *engine, struct frec_error *reterr)
{
	int r = frec__sideband_init(&engine->sideband, engine->tracefs, &engine->processes, reterr);

	engine->sideband.alert = on_alert;
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
		r = frec__foreign_create(&engine->foreign, engine->selection, engine->selections, open_foreign, engine,
					 reterr);
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
		r = reach_kernel(engine, &engine->no_kernel) ? do_without_kernel(engine, reterr) : 0;
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
	// The sideband is on: whoever is born from here on is seen, whoever was there before is scanned.
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

int frec__engine_watch(struct frec_engine *engine, uint32_t pid, int64_t only_uid, bool tells)
{
	struct frec_watched *grown =
		reallocarray(engine->watched, engine->watched_count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	engine->watched = grown;
	grown[engine->watched_count++] = (struct frec_watched){.pid = pid, .only_uid = only_uid};
	frec__engine_await(engine, pid, only_uid, tells);
	return 0;
}

void frec__engine_unwatch(struct frec_engine *engine, uint32_t pid)
{
	for (size_t i = 0; i < engine->watched_count; i++) {
		if (engine->watched[i].pid == pid) {
			engine->watched[i] = engine->watched[--engine->watched_count];
			return;
		}
	}
}

static void meanwhile(void *context)
{
	struct frec_engine *engine = context;

	frec__sideband_drain(&engine->sideband);
}

static struct frec_snapshot describe(struct frec_engine *engine, const struct frec_reason *reason,
				     int64_t only_uid)
{
	return (struct frec_snapshot){
		.rings = engine->ring,
		.ring_count = engine->ring_count,
		.sources = engine->source,
		.source_count = engine->source_count,
		.capture = &engine->capture,
		.processes = &engine->processes,
		.start = &engine->start,
		.recording_since = engine->recording_since,
		.selection = engine->options.selection,
		.sideband_lost = engine->sideband.lost,
		.reason = reason,
		.only_uid = only_uid,
		.meanwhile = meanwhile,
		.context = engine,
	};
}

static struct frec_snapshot capture(struct frec_engine *engine, const struct frec_reason *reason, int64_t only_uid)
{
	// Records of events that nobody has looked at are not taken.
	frec__engine_look_shm(engine);
	frec__capture_take(&engine->capture, engine->ring, engine->ring_count, engine->source,
			   engine->source_count);
	// Names and deaths up to now belong to it.
	frec__sideband_drain(&engine->sideband);
	return describe(engine, reason, only_uid);
}

static int write_capture(struct frec_engine *engine, const struct frec_snapshot *snapshot,
			 char *ret_path, struct frec_error *reterr)
{
	char path[PATH_MAX];
	struct frec_error error;
	int r = frec__folder_write(&engine->folder, snapshot, snapshot->only_uid, path, &error);

	if (r) {
		engine->failures++;
		frec__report(LOG_ERR, "no snapshot was written: %s", error.message);
		if (reterr)
			*reterr = error;
	} else {
		engine->snapshots++;
		memcpy(engine->last_path, path, sizeof(path));
		if (ret_path)
			memcpy(ret_path, path, sizeof(path));
	}
	if (engine->written)
		engine->written(engine->context, snapshot->reason, r ? NULL : path);
	return r;
}

int frec__engine_snapshot(struct frec_engine *engine, const struct frec_reason *reason, int64_t only_uid,
			  char *ret_path, struct frec_error *reterr)
{
	struct frec_snapshot snapshot = capture(engine, reason, only_uid);

	return write_capture(engine, &snapshot, ret_path, reterr);
}

// A process that nobody told about. Where other users are served, one of theirs is theirs alone: its file too, so that it
// counts against their quota and not the owner's.
static int64_t owner_of_stranger(const struct frec_engine *engine, uint32_t pid)
{
	const struct frec_process *process = frec__process_table_find(&engine->processes, pid);

	if (!engine->options.serves_others || !process || !process->uid_known || !process->uid ||
	    process->uid == geteuid())
		return -1;
	return process->uid;
}

static void work_off_deaths(struct frec_engine *engine)
{
	struct frec_death death;

	// Those that were announced by now; who kills processes in a loop must not keep the recorder from everything else.
	for (size_t left = engine->deaths.count;
	     left > 0 && frec__deaths_due(&engine->deaths, bytes_written(engine),
					  engine->options.ring_size, &death);
	     left--) {
		struct frec_snapshot snapshot = capture(engine, &death.reason, death.only_uid);

		if (!death.watched) {
			if (!frec__snapshot_mentions(&snapshot, death.reason.pid))
				continue;
			snapshot.only_uid = owner_of_stranger(engine, death.reason.pid);
		}
		if (!write_capture(engine, &snapshot, NULL, NULL))
			engine->last_death = frec__monotonic();
	}
	if (engine->deaths.missed)
		frec__report(LOG_WARNING, "%llu deaths got no snapshot: more than %d processes died at once",
			     (unsigned long long)engine->deaths.missed, FREC_DEATHS_MAX);
	engine->deaths.missed = 0;
}

size_t frec__engine_poll(struct frec_engine *engine, struct pollfd *fds, size_t room, int *ret_milliseconds)
{
	size_t count = 0;

	for (size_t i = 0; i < engine->sideband.count && count < room; i++)
		fds[count++] = (struct pollfd){.fd = engine->sideband.cpu[i].fd, .events = POLLIN};
	for (size_t i = 0; i < engine->deaths.count && count < room; i++) {
		if (engine->deaths.death[i].pidfd >= 0)
			fds[count++] = (struct pollfd){.fd = engine->deaths.death[i].pidfd,
						       .events = POLLIN};
	}
	count += frec__engine_poll_ends(engine, fds + count, room - count);
	*ret_milliseconds = engine->deaths.count ? DEATH_INTERVAL : LOOK_INTERVAL;
	return count;
}

void frec__engine_work(struct frec_engine *engine)
{
	frec__sideband_drain(&engine->sideband);
	frec__engine_look_ends(engine);
	work_off_deaths(engine);
	// What a transport finds by itself is looked at whenever the loop wakes; the kernel's lists, which cost reading, in turn.
	if (frec__monotonic() - engine->looked >= LOOK_INTERVAL * UINT64_C(1000000) / 2) {
		engine->looked = frec__monotonic();
		frec__engine_look(engine);
	}
	frec__engine_look_shm(engine);
	frec__engine_look_usdt(engine);
}
