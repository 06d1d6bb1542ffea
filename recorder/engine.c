// SPDX-License-Identifier: MIT
// The recorder engine: the work of its loop, from an alert or a request to a file.
#include "recorder/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/read_file.h"
#include "proto/report.h"
#include "recorder/core/pattern.h"
#include "recorder/declared/declared_files.h"
#include "recorder/processes/proc_poll.h"
#include "recorder/processes/proc_scan.h"
#include "recorder/rings/shm_rings.h"

// Milliseconds between two looks for new events and CPUs; see "How soon an event is recorded" in
// docs/recording.md.
#define REFRESH_INTERVAL 20
// Milliseconds between two checks of whether a dying process is gone.
#define DEATH_INTERVAL 2
// The most milliseconds to wait for the end of a dying process if the kernel starts `flightrec
// core`.
#define CORE_START_MAX 5000
// Nanoseconds between two comparisons of the process table with /proc.
#define COMPARISON_INTERVAL UINT64_C(200000000)
// The most nanoseconds between a death and the end of a command that it explains.
#define SAME_DEATH UINT64_C(2000000000)

int frec__engine_watch(struct frec_engine *engine, uint32_t pid, int64_t only_uid, bool announces)
{
	struct frec_process *process = frec__process_table_scan_one(&engine->processes, pid);
	int r = frec__watchlist_add(&engine->watchlist, pid, only_uid);

	if (process)
		process->kept = true;
	if (!r)
		frec__ends_await(&engine->ends, pid, only_uid, announces);
	return r;
}

static int open_for(struct frec_engine *engine, uint32_t pid, uint32_t uid,
		    struct frec_error *reterr)
{
	int fd;

	if (engine->transport == FREC_TRANSPORT_SHM) {
		// The processes of a user share one memory, because writing into it is not the
		// worst that they can do to each other.
		fd = frec__memories_fd(&engine->memories, uid, pid, reterr);
		if (fd < 0)
			return fd;
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? frec__error(reterr, -errno, "%s", strerror(errno)) : fd;
	}
	fd = openat(engine->tracefs, "user_events_data", O_WRONLY | O_CLOEXEC);
	return fd < 0 ? frec__error(reterr, -errno, "this kernel has no user_events") : fd;
}

int frec__engine_attach(struct frec_engine *engine, const struct frec_watched *service,
			uint32_t uid, bool watched, int *ret_fd, struct frec_error *reterr)
{
	FREC_CLOSE int fd = -1;

	if (engine->transport != FREC_TRANSPORT_USDT) {
		fd = open_for(engine, service->pid, uid, reterr);
		if (fd < 0)
			return fd;
	}
	if (!watched && frec__engine_watch(engine, service->pid, service->only_uid, true))
		return frec__error(reterr, -ENOMEM, "out of memory");
	// The service may have changed its user since the process table last read it.
	frec__process_table_refresh(&engine->processes, service->pid);
	frec__process_table_limit(&engine->processes, engine->rings.count * engine->rings.size);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int frec__engine_memory(struct frec_engine *engine)
{
	return engine->transport == FREC_TRANSPORT_SHM
		       ? frec__memories_fd(&engine->memories, geteuid(), 0, NULL)
		       : -1;
}

// Returns the process of a thread, or `tid` if that is unknown. Alerts about SIGKILL name the
// thread that the signal was sent to.
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

// If the kernel hands core dumps to `flightrec core`, the death waits longer, because that program
// takes time to start.
static void wait_for_core(struct frec_engine *engine, uint32_t pid)
{
	FREC_FREE char *pattern =
		frec__read_file_at(AT_FDCWD, FREC_CORE_PATTERN, 2 * FREC_CORE_PATTERN_MAX);

	if (pattern && frec__core_pattern_is_ours(pattern))
		frec__deaths_wait(&engine->deaths, pid, CORE_START_MAX);
}

// Keeps a process in the table because its death gets a snapshot.
static void keep(struct frec_engine *engine, uint32_t pid)
{
	struct frec_process *process = frec__process_table_find(&engine->processes, pid);

	if (process)
		process->kept = true;
}

void frec__engine_alert(void *context, const struct frec_alert *alert)
{
	struct frec_engine *engine = context;
	uint32_t pid = alert->pid ? alert->pid : process_of(engine, alert->tid);
	const struct frec_watched *watched = frec__watchlist_find(&engine->watchlist, pid);

	frec__memories_meet(&engine->memories, pid);
	if (alert->kind == FREC_ALERT_EXEC)
		return;
	if (!watched && engine->options.watch == FREC_WATCH_DESCENDANTS)
		return;
	keep(engine, pid);
	frec__deaths_record(&engine->deaths, alert, pid, watched ? watched->only_uid : -1, watched,
			    frec__ring_set_written(&engine->rings, NULL));
	if (alert->kind == FREC_ALERT_FATAL)
		wait_for_core(engine, pid);
}

static void drain(struct frec_engine *engine)
{
	frec__crash_records_drain(&engine->sources.crash_records);
	frec__sideband_drain(&engine->sideband);
}

static void make_progress(void *context)
{
	struct frec_engine *engine = context;

	drain(engine);
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
	drain(engine);
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

static void work_off_triggers(struct frec_engine *engine)
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

// Returns the user to whose records the snapshot of an unwatched process is limited, or -1 for all.
// A recorder that serves other users writes such a snapshot for the user of the process, so that
// the file counts against the quota of that user and not of the recorder's owner.
static int64_t owner_of_stranger(const struct frec_engine *engine, uint32_t pid)
{
	const struct frec_process *process = frec__process_table_find(&engine->processes, pid);

	if (!engine->options.serves_others || !process || !process->uid_known || !process->uid ||
	    process->uid == geteuid())
		return -1;
	return process->uid;
}

static struct frec_cause cause_of(const struct frec_engine *engine, const struct frec_death *death)
{
	const struct frec_process *process =
		frec__process_table_find(&engine->processes, death->reason.pid);
	struct frec_cause cause = {
		.kind = death->reason.kind,
		.signal = death->reason.signal,
		.only_uid = death->watched ? death->only_uid
					   : owner_of_stranger(engine, death->reason.pid)};

	if (process)
		snprintf(cause.name, sizeof(cause.name), "%s",
			 process->executable ? process->executable : process->name);
	return cause;
}

// Returns until when a death has to wait because it is a repeat, or 0.
static uint64_t repeat_until(const struct frec_engine *engine, const struct frec_death *death)
{
	const struct frec_process *process =
		frec__process_table_find(&engine->processes, death->reason.pid);
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
		frec__kept_stacks_take(&engine->stacks, death->reason.pid);
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

static void work_off_deaths(struct frec_engine *engine)
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
	frec__crash_records_sweep(&engine->sources.crash_records, &engine->deaths);
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
	count += frec__ends_poll(&engine->ends, fds + count, room - count);
	*ret_milliseconds =
		frec__deaths_are_urgent(&engine->deaths) ? DEATH_INTERVAL : REFRESH_INTERVAL;
	if (count < room) {
		int fd = frec__declarations_poll(&engine->declarations, ret_milliseconds);

		if (fd >= 0)
			fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	return count;
}

// If the kernel had to drop records of births, names or deaths, finds in /proc which processes
// live.
static void make_up_for_lost(struct frec_engine *engine)
{
	uint64_t now = frec__monotonic();

	if (engine->sideband.lost == engine->compared_lost || now < engine->next_comparison)
		return;
	engine->compared_lost = engine->sideband.lost;
	frec__process_table_poll(&engine->processes, frec__watchlist_matters, &engine->watchlist,
				 true);
	engine->next_comparison = frec__process_table_next_poll(now, COMPARISON_INTERVAL);
}

// The most announcements of forks and ends to handle in one round of the loop.
#define FORKS_MAX 64
// The start of a process is read from /proc in units of 10 ms.
#define START_ROUNDING UINT64_C(20000000)

// Reads which processes services have forked, and waits for the ends of those. What the shared
// memory says may be wrong: a process that is older than the recorder cannot be one of them.
static void learn_forks(struct frec_engine *engine)
{
	struct frec_shm_birth birth;

	for (int i = 0; i < FORKS_MAX && frec__memories_next_birth(&engine->memories, &birth);
	     i++) {
		const struct frec_process *process;

		if (birth.ends) {
			frec__ends_expect_exit(&engine->ends, birth.pid);
			continue;
		}
		process = frec__process_table_scan_one(&engine->processes, birth.pid);
		if (!process || process->start + START_ROUNDING < engine->recording_since)
			continue;
		if (frec__watchlist_find(&engine->watchlist, birth.pid))
			frec__ends_await(&engine->ends, birth.pid, -1, false);
		else if (engine->options.follows)
			// If the first process is gone, this one may be the service.
			(void)frec__engine_watch(
				engine, birth.pid, -1,
				!frec__ends_is_alive(&engine->ends, engine->ends.first));
	}
}

void frec__engine_work(struct frec_engine *engine)
{
	drain(engine);
	make_up_for_lost(engine);
	if (engine->ends.needed) {
		frec__ends_notice(&engine->ends);
		learn_forks(engine);
	}
	frec__ends_refresh(&engine->ends);
	work_off_deaths(engine);
	work_off_triggers(engine);
	// The kernel's lists of CPUs and events are read only at intervals, because reading them
	// costs more than the other steps, which are taken whenever the loop wakes.
	if (engine->kernel &&
	    frec__monotonic() - engine->refreshed >= REFRESH_INTERVAL * UINT64_C(1000000) / 2) {
		engine->refreshed = frec__monotonic();
		frec__source_set_refresh(&engine->sources, &engine->sideband);
	}
	frec__memories_refresh(&engine->memories);
	frec__breakpoints_refresh(&engine->breakpoints);
	frec__declarations_work(&engine->declarations);
	frec__source_set_refine(&engine->sources);
}
