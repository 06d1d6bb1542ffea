// SPDX-License-Identifier: MIT
// The snapshots of the engine: which requests and deaths get one, and what is in it.
#include "recorder/engine_snapshots.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/report.h"
#include "proto/share.h"
#include "recorder/processes/proc_poll.h"
#include "recorder/processes/proc_scan.h"
#include "recorder/snapshot/emitters.h"

#define NO_TIME "the recorder is ending: no time was left for this snapshot"
// How often the snapshot of a stranger is given up for those of root.
#define YIELDS_MAX 8
// Nanoseconds between two reports that deaths were missed.
#define REPORT_INTERVAL UINT64_C(1000000000)
// The most nanoseconds between a death and the end of a command that it explains.
#define SAME_DEATH UINT64_C(2000000000)

void frec__engine_drain(struct frec_engine *engine)
{
	// The sideband says whose processes the records of crashes are about.
	frec__sideband_drain(&engine->sideband);
	frec__crash_records_drain(&engine->sources.crash_records);
}

static bool is_trusted_due(const struct frec_engine *engine)
{
	return frec__deaths_trusted_due(&engine->deaths, &engine->cooldown,
					frec__ring_set_written(&engine->rings, NULL),
					engine->options.ring_size);
}

static void make_progress(void *context)
{
	struct frec_engine *engine = context;

	frec__engine_drain(engine);
	if (engine->on_progress)
		engine->on_progress(engine->progress_context);
	if (engine->yields && is_trusted_due(engine))
		engine->cancelled = true;
}

static void mark_emitter(void *context, uint32_t pid, uint64_t time)
{
	struct frec_process *process = frec__process_table_find_at(context, pid, time);

	if (process)
		process->emitted = process->has_emitted = true;
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
	(void)frec__snapshot_emitters(&job, mark_emitter, &engine->processes);
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

// Copies the rings for a snapshot.
static void take(struct frec_engine *engine, struct frec_snapshot_job *job)
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
	if (job->only_uid >= 0)
		frec__process_table_recheck(&engine->processes, (uint32_t)job->only_uid);
	job->rings = engine->rings.ring;
	job->ring_count = engine->rings.count;
	job->sources = engine->sources.source;
	job->source_count = engine->sources.count;
	job->sideband_lost = engine->sideband.lost;
}

static struct frec_snapshot_job capture(struct frec_engine *engine,
					const struct frec_reason *reason, int64_t only_uid)
{
	struct frec_snapshot_job job = {
		.capture = &engine->rings.capture,
		.processes = &engine->processes,
		.start = &engine->start,
		.recording_since = engine->recording_since,
		.selection = engine->options.selection,
		.tags = &engine->options.tags,
		.reason = reason,
		.drop_stack_bytes = engine->options.drop_stack_bytes,
		.only_uid = only_uid,
		.deadline = &engine->deadline,
		.cancelled = &engine->cancelled,
		.on_progress = make_progress,
		.context = engine,
	};

	take(engine, &job);
	return job;
}

static int give_up_one(struct frec_engine *engine, struct frec_error *reterr)
{
	engine->given_up++;
	return frec__error(reterr, -ECANCELED, "%s", NO_TIME);
}

static void write_trusted(struct frec_engine *engine);

// Writes a snapshot. A stranger's is given up if a death of root's is due meanwhile, because what
// that death leaves in the rings may be overwritten before a long file is finished. Then root's
// deaths come first, and the stranger's snapshot is taken anew, for the last time without yielding.
static int write_file(struct frec_engine *engine, struct frec_snapshot_job *job, char *ret_path,
		      struct frec_error *reterr)
{
	int r;

	for (int left = YIELDS_MAX;; left--) {
		engine->cancelled = false;
		engine->yields = left > 0 && frec__is_for_stranger(job->only_uid);
		r = frec__store_write(&engine->store, job, ret_path, reterr);
		engine->yields = engine->cancelled = false;
		if (r != -ECANCELED)
			break;
		write_trusted(engine);
		if (frec__engine_is_late(engine))
			return give_up_one(engine, reterr);
		take(engine, job);
	}
	return r;
}

int frec__engine_snapshot(struct frec_engine *engine, const struct frec_reason *reason,
			  int64_t only_uid, char *ret_path, struct frec_error *reterr)
{
	struct frec_snapshot_job job = capture(engine, reason, only_uid);
	int r = write_file(engine, &job, ret_path, reterr);

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
	if (frec__engine_is_late(engine))
		return give_up_one(engine, reterr);
	if (until)
		*ret_held = frec__triggers_hold(&engine->triggers, cause, reason, until,
						frec__ring_set_written(&engine->rings, NULL));
	if (*ret_held)
		return 0;
	// Strangers are refused, because they could ask again and again.
	if (until && frec__is_for_stranger(cause->only_uid))
		return frec__error(reterr, -EDQUOT,
				   "%d or more snapshots of this user wait for the end of their "
				   "cool-down",
				   FREC_CAUSES_MAX / 4);
	frec__cooldown_begin(&engine->cooldown, cause, reason->time, now);
	return frec__engine_snapshot(engine, reason, cause->only_uid, ret_path, reterr);
}

static void work_off_trigger(struct frec_engine *engine, struct frec_trigger *trigger)
{
	uint64_t began = frec__monotonic();
	struct frec_error error;
	char path[PATH_MAX];
	int r;

	frec__cooldown_begin(&engine->cooldown, &trigger->cause, trigger->reason.time, began);
	r = frec__engine_snapshot(engine, &trigger->reason, trigger->cause.only_uid, path, &error);
	if (engine->on_held)
		engine->on_held(engine->on_held_context, trigger->number, r ? NULL : path,
				r ? error.message : NULL);
	free((void *)trigger->reason.fields);
	frec__pace_spend(&engine->pace, frec__user_of(trigger->cause.only_uid), began,
			 frec__monotonic());
}

void frec__engine_work_off_triggers(struct frec_engine *engine)
{
	struct frec_trigger trigger;

	for (size_t left = engine->triggers.count;
	     left > 0 && !frec__engine_is_late(engine) &&
	     frec__triggers_due(&engine->triggers, &engine->cooldown, &engine->pace,
				frec__ring_set_written(&engine->rings, NULL),
				engine->options.ring_size, &trigger);
	     left--)
		work_off_trigger(engine, &trigger);
}

void frec__engine_give_up(struct frec_engine *engine)
{
	struct frec_trigger trigger;

	engine->given_up += engine->deaths.count;
	frec__deaths_deinit(&engine->deaths);
	while (frec__triggers_next(&engine->triggers, &trigger)) {
		engine->given_up += 1 + trigger.reason.coalesced;
		if (engine->on_held)
			engine->on_held(engine->on_held_context, trigger.number, NULL, NO_TIME);
		free((void *)trigger.reason.fields);
	}
	if (engine->given_up)
		frec__report(LOG_WARNING,
			     "%llu deaths and requests got no snapshot: the recorder was to end, "
			     "and no time was left for them",
			     (unsigned long long)engine->given_up);
	engine->given_up = 0;
}

static struct frec_cause cause_of(const struct frec_engine *engine, const struct frec_death *death)
{
	const struct frec_process *process =
		frec__process_table_life(&engine->processes, death->reason.pid, death->reason.life);
	struct frec_cause cause = {.kind = death->reason.kind,
				   .signal = death->reason.signal,
				   .only_uid = death->only_uid,
				   .uid = death->uid};

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

static bool has_emitted(void *context, const struct frec_reason *reason)
{
	return frec__emitters_have(context, reason);
}

static void forget(void *context, const struct frec_reason *reason)
{
	struct frec_engine *engine = context;
	struct frec_thread_stacks stacks = frec__kept_stacks_take(&engine->stacks, reason->life);
	struct frec_kept_crash kept =
		frec__crash_records_take(&engine->sources.crash_records, reason);
	struct frec_process *process =
		frec__process_table_life(&engine->processes, reason->pid, reason->life);

	if (process)
		process->kept = false;
	frec__kept_crash_deinit(&kept);
	frec__thread_stacks_deinit(&stacks);
}

// Finds out which of the processes that have died by now emitted events, because the stacks of many
// crashes can overwrite those events before the snapshots are taken. The others get no snapshot.
// Returns whether `death` gets one.
static bool search_emitters(struct frec_engine *engine, const struct frec_snapshot_job *job,
			    const struct frec_death *death)
{
	struct frec_emitters emitters = {0};
	bool wanted;

	frec__emitters_find(&emitters, job);
	frec__deaths_search(&engine->deaths, has_emitted, &emitters);
	frec__deaths_drop_silent(&engine->deaths, forget, engine);
	// A repeat needs no search: another process of its program had a snapshot.
	wanted = death->watched || death->cooling || death->mentioned ||
		 frec__emitters_have(&emitters, &death->reason);
	frec__emitters_deinit(&emitters);
	return wanted;
}

static void write_death(struct frec_engine *engine, const struct frec_death *death)
{
	struct frec_crash_records *records = &engine->sources.crash_records;
	uint64_t began = frec__monotonic();
	struct frec_thread_stacks stacks;
	struct frec_snapshot_job job;
	struct frec_kept_crash kept;

	frec__deaths_note_gone(&engine->deaths);
	job = capture(engine, &death->reason, death->cause.only_uid);
	stacks = frec__kept_stacks_take(&engine->stacks, death->reason.life);
	kept = frec__crash_records_take(records, &death->reason);
	job.stacks = &stacks;
	job.crash = (struct frec_crash_copy){.sample_source = &records->signal,
					     .details_source = &records->details,
					     .sample = kept.sample,
					     .details = kept.details};
	if (search_emitters(engine, &job, death)) {
		frec__cooldown_begin(&engine->cooldown, &death->cause, death->reason.time,
				     frec__monotonic());
		if (!write_file(engine, &job, NULL, NULL)) {
			engine->last_death.time = frec__monotonic();
			engine->last_death.pid = death->reason.pid;
		}
	}
	frec__kept_crash_deinit(&kept);
	frec__thread_stacks_deinit(&stacks);
	engine->capturing = false;
	frec__pace_spend(&engine->pace, death->uid, began, frec__monotonic());
}

// Writes the snapshots of the deaths of root and of the recorder's user that are due.
static void write_trusted(struct frec_engine *engine)
{
	enum frec_pace_mode before = engine->pace.mode;

	engine->pace.mode = FREC_PACE_TRUSTED;
	while (is_trusted_due(engine) && !frec__engine_is_late(engine))
		frec__engine_work_off_deaths(engine);
	engine->pace.mode = before;
}

static void report_missed(struct frec_deaths *deaths)
{
	uint64_t now = frec__monotonic();

	if (!deaths->missed || (now < deaths->next_report && !deaths->hurry))
		return;
	frec__report(LOG_WARNING,
		     "%llu deaths got no snapshot: too many processes died at once (at most %d "
		     "deaths wait, of one user other than root %d)",
		     (unsigned long long)deaths->missed, FREC_DEATHS_MAX, FREC_DEATHS_MAX / 4);
	deaths->missed_ever += deaths->missed;
	deaths->missed = 0;
	deaths->next_report = now + REPORT_INTERVAL;
}

void frec__engine_work_off_deaths(struct frec_engine *engine)
{
	struct frec_death death;

	// Write one file at most, and handle only the deaths that have been announced by now: many
	// deaths must not keep the recorder from its clients, such as `flightrec core`.
	for (size_t left = engine->deaths.count;
	     left > 0 && !frec__engine_is_late(engine) &&
	     frec__deaths_due(&engine->deaths, &engine->cooldown, &engine->pace,
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
	report_missed(&engine->deaths);
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
