// SPDX-License-Identifier: MIT
// The snapshots of the engine: which requests and deaths get one, and what is in it.
#include "recorder/engine_snapshots.h"

#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/report.h"
#include "recorder/processes/proc_poll.h"
#include "recorder/processes/proc_scan.h"

// The most nanoseconds between a death and the end of a command that it explains.
#define SAME_DEATH UINT64_C(2000000000)

void frec__engine_drain(struct frec_engine *engine)
{
	frec__crash_records_drain(&engine->sources.crash_records);
	frec__sideband_drain(&engine->sideband);
}

static void make_progress(void *context)
{
	struct frec_engine *engine = context;

	frec__engine_drain(engine);
	if (engine->on_progress)
		engine->on_progress(engine->progress_context);
}

static void mark_emitter(void *context, uint32_t pid, uint64_t time)
{
	struct frec_process *process = frec__process_table_find_at(context, pid, time);

	if (process)
		process->emitted = true;
}

// Spends at most a twentieth of the time on searching the rings. A process that has emitted only
// since the last search has exited recently, if at all, so it is not the next to be removed from
// the table.
void frec__engine_mark_emitters(void *context)
{
	struct frec_engine *engine = context;
	uint64_t now = frec__monotonic();
	const struct frec_snapshot_job job = {
		.rings = engine->rings.ring,
		.ring_count = engine->rings.count,
		.sources = engine->sources.source,
		.source_count = engine->sources.count,
		.capture = &engine->rings.capture,
		.processes = &engine->processes,
		.only_uid = -1,
	};

	if (engine->capturing || now < engine->next_emitters)
		return;
	for (size_t i = 0; i < FREC_PROCESS_BUCKETS; i++) {
		struct frec_process *process = engine->processes.bucket[i];

		for (; process; process = process->next)
			process->emitted = false;
	}
	frec__capture_peek(&engine->rings.capture, engine->rings.ring, engine->rings.count,
			   engine->sources.source, engine->sources.count);
	frec__snapshot_emitters(&job, mark_emitter, &engine->processes);
	engine->next_emitters = frec__process_table_next_poll(now, 0);
}

static void report_redated(const struct frec_capture *capture)
{
	uint64_t count = 0;

	for (size_t i = 0; i < capture->rings; i++)
		count += capture->copy[i].redated;
	if (count)
		frec__report(LOG_WARNING,
			     "%llu events had times of a time namespace that their process entered "
			     "after it had attached: they got the times of the events after them",
			     (unsigned long long)count);
}

static struct frec_snapshot_job capture(struct frec_engine *engine,
					const struct frec_reason *reason, int64_t only_uid)
{
	// Add the sources of new events first: a record whose event has no source would be left
	// out.
	engine->capturing = true;
	engine->memories.next_spaces = 0;
	frec__memories_refresh(&engine->memories);
	frec__capture_take(&engine->rings.capture, engine->rings.ring, engine->rings.count,
			   engine->sources.source, engine->sources.count);
	report_redated(&engine->rings.capture);
	// Names and deaths up to now belong in the snapshot.
	frec__engine_drain(engine);
	if (only_uid >= 0)
		frec__process_table_recheck(&engine->processes, (uint32_t)only_uid);
	return (struct frec_snapshot_job){
		.rings = engine->rings.ring,
		.ring_count = engine->rings.count,
		.sources = engine->sources.source,
		.source_count = engine->sources.count,
		.capture = &engine->rings.capture,
		.processes = &engine->processes,
		.start = &engine->start,
		.recording_since = engine->recording_since,
		.selection = engine->options.selection,
		.tags = &engine->options.tags,
		.sideband_lost = engine->sideband.lost,
		.reason = reason,
		.drop_stack_bytes = engine->options.drop_stack_bytes,
		.only_uid = only_uid,
		.on_progress = make_progress,
		.context = engine,
	};
}

int frec__engine_snapshot(struct frec_engine *engine, const struct frec_reason *reason,
			  int64_t only_uid, char *ret_path, struct frec_error *reterr)
{
	struct frec_snapshot_job job = capture(engine, reason, only_uid);
	int r = frec__store_write(&engine->store, &job, ret_path, reterr);

	engine->capturing = false;
	return r;
}

int frec__engine_trigger(struct frec_engine *engine, const struct frec_cause *cause,
			 const struct frec_reason *reason, char *ret_path, uint64_t *ret_held,
			 struct frec_error *reterr)
{
	uint64_t now = frec__monotonic(),
		 until = frec__cooldown_until(&engine->cooldown, cause, now);

	*ret_held = 0;
	if (until)
		*ret_held = frec__triggers_hold(&engine->triggers, cause, reason, until,
						frec__ring_set_written(&engine->rings, NULL));
	if (*ret_held)
		return 0;
	frec__cooldown_begin(&engine->cooldown, cause, reason->time, now);
	return frec__engine_snapshot(engine, reason, cause->only_uid, ret_path, reterr);
}

void frec__engine_work_off_triggers(struct frec_engine *engine)
{
	struct frec_trigger trigger;

	for (size_t left = engine->triggers.count;
	     left > 0 && frec__triggers_due(&engine->triggers, &engine->cooldown,
					    frec__ring_set_written(&engine->rings, NULL),
					    engine->options.ring_size, &trigger);
	     left--) {
		struct frec_error error;
		char path[PATH_MAX];
		int r;

		frec__cooldown_begin(&engine->cooldown, &trigger.cause, trigger.reason.time,
				     frec__monotonic());
		r = frec__engine_snapshot(engine, &trigger.reason, trigger.cause.only_uid, path,
					  &error);
		if (engine->on_held)
			engine->on_held(engine->on_held_context, trigger.number, r ? NULL : path,
					r ? error.message : NULL);
		free((void *)trigger.reason.fields);
	}
}

static struct frec_cause cause_of(const struct frec_engine *engine, const struct frec_death *death)
{
	const struct frec_process *process =
		frec__process_table_life(&engine->processes, death->reason.pid, death->reason.life);
	struct frec_cause cause = {.kind = death->reason.kind,
				   .signal = death->reason.signal,
				   .only_uid = death->only_uid};

	if (process)
		snprintf(cause.name, sizeof(cause.name), "%s",
			 process->executable ? process->executable : process->name);
	return cause;
}

// Returns until when a death has to wait because it is a repeat, or 0.
static uint64_t repeat_until(const struct frec_engine *engine, const struct frec_death *death)
{
	const struct frec_process *process =
		frec__process_table_life(&engine->processes, death->reason.pid, death->reason.life);
	uint64_t until = frec__cooldown_until(&engine->cooldown, &death->cause, frec__monotonic());

	return process && frec__cooldown_is_loop(&engine->cooldown, &death->cause, process->start)
		       ? until
		       : 0;
}

// Finds out which of the processes that have died by now emitted events. The stacks of many crashes
// can overwrite those events before the snapshots are taken.
static void search_emitters(struct frec_engine *engine, const struct frec_snapshot_job *job)
{
	for (size_t i = 0; i < engine->deaths.count; i++) {
		struct frec_death *death = &engine->deaths.death[i];

		if (death->watched || death->searched)
			continue;
		death->searched = true;
		death->mentioned = frec__snapshot_mentions(job, death->reason.pid);
	}
}

static void write_death(struct frec_engine *engine, const struct frec_death *death)
{
	struct frec_snapshot_job job = capture(engine, &death->reason, death->cause.only_uid);
	struct frec_thread_stacks stacks =
		frec__kept_stacks_take(&engine->stacks, death->reason.life);
	struct frec_crash_records *records = &engine->sources.crash_records;
	struct frec_kept_crash kept = frec__crash_records_take(records, death->reason.pid);
	// A repeat needs no search: another process of its program had a snapshot.
	bool wanted = death->watched || death->cooling || death->mentioned ||
		      frec__snapshot_mentions(&job, death->reason.pid);

	search_emitters(engine, &job);
	job.stacks = &stacks;
	job.crash = (struct frec_crash_copy){.sample_source = &records->signal,
					     .details_source = &records->details,
					     .sample = kept.sample,
					     .details = kept.details};
	if (wanted) {
		frec__cooldown_begin(&engine->cooldown, &death->cause, death->reason.time,
				     frec__monotonic());
		if (!frec__store_write(&engine->store, &job, NULL, NULL)) {
			engine->last_death.time = frec__monotonic();
			engine->last_death.pid = death->reason.pid;
		}
	}
	frec__kept_crash_deinit(&kept);
	frec__thread_stacks_deinit(&stacks);
	engine->capturing = false;
}

void frec__engine_work_off_deaths(struct frec_engine *engine)
{
	struct frec_death death;

	// Write one file at most, and handle only the deaths that have been announced by now: many
	// deaths must not keep the recorder from its clients, such as `flightrec core`.
	for (size_t left = engine->deaths.count;
	     left > 0 && frec__deaths_due(&engine->deaths, &engine->cooldown,
					  frec__ring_set_written(&engine->rings, NULL),
					  engine->options.ring_size, &death);
	     left--) {
		uint64_t until = 0;

		if (!death.cooling) {
			death.cause = cause_of(engine, &death);
			until = repeat_until(engine, &death);
		}
		if (until) {
			frec__deaths_cool(&engine->deaths, &death, until);
		} else {
			write_death(engine, &death);
			break;
		}
	}
	if (engine->deaths.missed)
		frec__report(LOG_WARNING,
			     "%llu deaths got no snapshot: more than %d processes died at once",
			     (unsigned long long)engine->deaths.missed, FREC_DEATHS_MAX);
	engine->deaths.missed_ever += engine->deaths.missed;
	engine->deaths.missed = 0;
}

bool frec__engine_explains_end(const struct frec_engine *engine, uint32_t pid)
{
	const struct frec_process *dead =
		frec__process_table_find(&engine->processes, engine->last_death.pid);
	uint64_t end = engine->last_death.time;

	if (!end)
		return false;
	// The snapshot can be written long before the core dump, so the later end of the process
	// counts.
	if (dead && dead->exit > end)
		end = dead->exit;
	return engine->last_death.pid == pid || frec__monotonic() - end < SAME_DEATH;
}
