// SPDX-License-Identifier: MIT
// The recorder engine: the work of its loop, from an alert or a request to a file.
#include "recorder/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/read_file.h"
#include "proto/report.h"
#include "recorder/core/pattern.h"
#include "recorder/declared/declared_files.h"
#include "recorder/processes/proc_scan.h"
#include "recorder/rings/shm_rings.h"

// How often the loop looks for new events and CPUs, in milliseconds; see "How soon an event is
// recorded" in docs/recording.md.
#define REFRESH_INTERVAL 20
// How often the loop looks whether a dying process is gone, in milliseconds.
#define DEATH_INTERVAL 2
// The most milliseconds to wait for the end of a dying process if the kernel starts `flightrec
// core`.
#define CORE_START_MAX 5000
// The most nanoseconds between a death and the end of a command that it explains.
#define SAME_DEATH UINT64_C(2000000000)

int frec__engine_watch(struct frec_engine *engine, uint32_t pid, int64_t only_uid, bool announces)
{
	int r = frec__watchlist_add(&engine->watchlist, pid, only_uid);

	if (!r)
		frec__ends_await(&engine->ends, pid, only_uid, announces);
	return r;
}

static int open_for(struct frec_engine *engine, uint32_t pid, uint32_t uid,
		    struct frec_error *reterr)
{
	int fd;

	if (engine->transport == FREC_TRANSPORT_SHM) {
		// The processes of a user share one memory: they can do worse to each other anyway
		// than write into it.
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
	// The service may have changed its user since the process table saw it.
	frec__process_table_refresh(&engine->processes, service->pid);
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

// The process of a thread. Alerts about SIGKILL name the thread that the signal was sent to.
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

void frec__engine_alert(void *context, const struct frec_alert *alert)
{
	struct frec_engine *engine = context;
	uint32_t pid = alert->pid ? alert->pid : process_of(engine, alert->tid);
	const struct frec_watched *watched = frec__watchlist_find(&engine->watchlist, pid);

	if (alert->kind == FREC_ALERT_EXEC)
		return;
	if (!watched && engine->options.watch == FREC_WATCH_DESCENDANTS)
		return;
	frec__deaths_record(&engine->deaths, alert, pid, watched ? watched->only_uid : -1, watched,
			    frec__ring_set_written(&engine->rings, NULL));
	if (alert->kind == FREC_ALERT_FATAL)
		wait_for_core(engine, pid);
}

static void drain_sideband(void *context)
{
	struct frec_engine *engine = context;

	frec__sideband_drain(&engine->sideband);
}

static struct frec_snapshot_job capture(struct frec_engine *engine,
					const struct frec_reason *reason, int64_t only_uid)
{
	// Add the sources of new events first: a record whose event has no source would be left
	// out.
	frec__memories_refresh(&engine->memories);
	frec__capture_take(&engine->rings.capture, engine->rings.ring, engine->rings.count,
			   engine->sources.source, engine->sources.count);
	// Names and deaths up to now belong in the snapshot.
	frec__sideband_drain(&engine->sideband);
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
		.sideband_lost = engine->sideband.lost,
		.reason = reason,
		.drop_stack_bytes = engine->options.drop_stack_bytes,
		.only_uid = only_uid,
		.on_progress = drain_sideband,
		.context = engine,
	};
}

int frec__engine_snapshot(struct frec_engine *engine, const struct frec_reason *reason,
			  int64_t only_uid, char *ret_path, struct frec_error *reterr)
{
	struct frec_snapshot_job job = capture(engine, reason, only_uid);

	return frec__store_write(&engine->store, &job, ret_path, reterr);
}

// The user whose records the snapshot of a process that is not watched holds, or -1 for all. A
// recorder that serves other users writes such a snapshot for the user of the process, so that the
// file counts against his quota and not against the recorder's owner's.
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
	struct frec_snapshot_job job = capture(engine, &death->reason, death->only_uid);
	struct frec_thread_stacks stacks =
		frec__kept_stacks_take(&engine->stacks, death->reason.pid);
	bool wanted = death->watched || frec__snapshot_mentions(&job, death->reason.pid);

	if (!death->watched)
		job.only_uid = owner_of_stranger(engine, death->reason.pid);
	job.stacks = &stacks;
	if (wanted && !frec__store_write(&engine->store, &job, NULL, NULL)) {
		engine->last_death.time = frec__monotonic();
		engine->last_death.pid = death->reason.pid;
	}
	frec__thread_stacks_deinit(&stacks);
}

static void work_off_deaths(struct frec_engine *engine)
{
	struct frec_death death;

	// Handle only the deaths that have been announced by now: a program that kills processes in
	// a loop must not keep the recorder from everything else.
	for (size_t left = engine->deaths.count;
	     left > 0 &&
	     frec__deaths_due(&engine->deaths, frec__ring_set_written(&engine->rings, NULL),
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
	*ret_milliseconds = engine->deaths.count ? DEATH_INTERVAL : REFRESH_INTERVAL;
	if (count < room) {
		int fd = frec__declarations_poll(&engine->declarations, ret_milliseconds);

		if (fd >= 0)
			fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	return count;
}

// The most announced processes to look at in one round of the loop.
#define FORKS_MAX 64
// A process start is read from /proc in units of 10 ms.
#define START_ROUNDING UINT64_C(20000000)

// Waits for the end of processes that services have forked. What the shared memory says may be
// wrong: a process that is older than the recorder is none of these.
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
	frec__sideband_drain(&engine->sideband);
	if (engine->ends.needed) {
		frec__ends_notice(&engine->ends);
		learn_forks(engine);
	}
	frec__ends_refresh(&engine->ends);
	work_off_deaths(engine);
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
