// SPDX-License-Identifier: MIT
// The recorder engine: the work of its loop, from what the sideband tells to the file. It is
// started and stopped in engine_start.c; which sources and CPUs there are is kept up to date in
// engine_sources.c.
#include "recorder/engine.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/clocks.h"
#include "proto/report.h"
#include "recorder/engine_cores.h"
#include "recorder/engine_ends.h"
#include "recorder/engine_shm.h"
#include "recorder/engine_sources.h"
#include "recorder/engine_usdt.h"

// How often the loop looks for new events and CPUs, in milliseconds; see "How soon" in
// ARCHITECTURE.md.
#define LOOK_INTERVAL 20
// How often it looks whether a dying process is gone.
#define DEATH_INTERVAL 2

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

void frec__engine_alert(void *context, const struct frec_alert *alert)
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
	if (alert->kind == FREC_ALERT_FATAL)
		frec__engine_core_dumps(engine, pid);
}

void frec__engine_note_death(struct frec_engine *engine, const struct frec_alert *alert,
			     uint32_t pid, int64_t only_uid)
{
	frec__deaths_note(&engine->deaths, alert, pid, only_uid, true, bytes_written(engine));
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

static struct frec_snapshot_job describe(struct frec_engine *engine,
					 const struct frec_reason *reason, int64_t only_uid)
{
	return (struct frec_snapshot_job){
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
		.drop_stack_bytes = engine->options.drop_stack_bytes,
		.only_uid = only_uid,
		.on_progress = meanwhile,
		.context = engine,
	};
}

static struct frec_snapshot_job capture(struct frec_engine *engine,
					const struct frec_reason *reason, int64_t only_uid)
{
	// Records of events that nobody has looked at are not taken.
	frec__engine_look_shm(engine);
	frec__capture_take(&engine->capture, engine->ring, engine->ring_count, engine->source,
			   engine->source_count);
	// Names and deaths up to now belong to it.
	frec__sideband_drain(&engine->sideband);
	return describe(engine, reason, only_uid);
}

static int write_capture(struct frec_engine *engine, const struct frec_snapshot_job *snapshot,
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

int frec__engine_snapshot(struct frec_engine *engine, const struct frec_reason *reason,
			  int64_t only_uid, char *ret_path, struct frec_error *reterr)
{
	struct frec_snapshot_job snapshot = capture(engine, reason, only_uid);

	return write_capture(engine, &snapshot, ret_path, reterr);
}

// A process that nobody told about. Where other users are served, one of theirs is theirs alone:
// its file too, so that it counts against their quota and not the owner's.
static int64_t owner_of_stranger(const struct frec_engine *engine, uint32_t pid)
{
	const struct frec_process *process = frec__process_table_find(&engine->processes, pid);

	if (!engine->options.serves_others || !process || !process->uid_known || !process->uid ||
	    process->uid == geteuid())
		return -1;
	return process->uid;
}

static void write_death(struct frec_engine *engine, const struct frec_death *death)
{
	struct frec_snapshot_job snapshot = capture(engine, &death->reason, death->only_uid);
	struct frec_thread_stacks stacks = frec__engine_core_take(engine, death->reason.pid);
	bool wanted = death->watched || frec__snapshot_mentions(&snapshot, death->reason.pid);

	if (!death->watched)
		snapshot.only_uid = owner_of_stranger(engine, death->reason.pid);
	snapshot.stacks = &stacks;
	if (wanted && !write_capture(engine, &snapshot, NULL, NULL)) {
		engine->last_death = frec__monotonic();
		engine->last_dead = death->reason.pid;
	}
	frec__thread_stacks_deinit(&stacks);
}

static void work_off_deaths(struct frec_engine *engine)
{
	struct frec_death death;

	// Those that were announced by now; who kills processes in a loop must not keep the
	// recorder from everything else.
	for (size_t left = engine->deaths.count;
	     left > 0 && frec__deaths_due(&engine->deaths, bytes_written(engine),
					  engine->options.ring_size, &death);
	     left--) {
		write_death(engine, &death);
	}
	if (engine->deaths.missed)
		frec__report(LOG_WARNING,
			     "%llu deaths got no snapshot: more than %d processes died at once",
			     (unsigned long long)engine->deaths.missed, FREC_DEATHS_MAX);
	engine->deaths.missed = 0;
}

size_t frec__engine_poll(struct frec_engine *engine, struct pollfd *fds, size_t room,
			 int *ret_milliseconds)
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
	// What a transport finds by itself is looked at whenever the loop wakes; the kernel's
	// lists, which cost reading, in turn.
	if (frec__monotonic() - engine->looked >= LOOK_INTERVAL * UINT64_C(1000000) / 2) {
		engine->looked = frec__monotonic();
		frec__engine_look(engine);
	}
	frec__engine_look_shm(engine);
	frec__engine_look_usdt(engine);
}
