// SPDX-License-Identifier: MIT
// The recorder engine: the work of its loop.
#include "recorder/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/read_file.h"
#include "proto/report.h"
#include "proto/share.h"
#include "recorder/core/pattern.h"
#include "recorder/declared/declared_files.h"
#include "recorder/engine_snapshots.h"
#include "recorder/processes/held_files.h"
#include "recorder/processes/proc_poll.h"
#include "recorder/processes/proc_scan.h"
#include "recorder/processes/threads.h"
#include "recorder/rings/shm_rings.h"

// Nanoseconds between two looks around while something happens; see "How soon an event is
// recorded" in docs/recording.md.
#define LOOK_INTERVAL UINT64_C(20000000)
// The most doorbells and announcements that are asked whether they ring. The rest, on a machine
// with more CPUs, wake the recorder in poll(2) once more than needed.
#define BELLS_MAX 1024
// Milliseconds between two checks of whether a dying process is gone.
#define DEATH_INTERVAL 2
// The most milliseconds to wait for the end of a dying process if the kernel starts `flightrec
// core`.
#define CORE_START_MAX 5000
// Nanoseconds between two comparisons of the process table with /proc.
#define COMPARISON_INTERVAL UINT64_C(200000000)

struct frec_process *frec__engine_process(struct frec_engine *engine, uint32_t pid)
{
	struct frec_process *process = frec__process_table_scan_one(&engine->processes, pid);

	return process ? process : frec__process_table_get(&engine->processes, pid);
}

int frec__engine_watch(struct frec_engine *engine, struct frec_process *process, int64_t only_uid,
		       bool announces)
{
	if (!process || frec__watchlist_add(&engine->watchlist, process, only_uid))
		return -ENOMEM;
	process->kept = true;
	frec__held_files_begin(&engine->processes, process);
	frec__ends_await(&engine->ends, process, only_uid, announces);
	return 0;
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

// Watches a service that has attached, and counts it as a user of its memory.
static int admit(struct frec_engine *engine, const struct frec_watched *service, uint32_t uid)
{
	struct frec_process *process =
		frec__process_table_life(&engine->processes, service->pid, service->life);
	int r = frec__memories_enter(&engine->memories, uid, service);

	if (r)
		return r;
	r = frec__engine_watch(engine, process, service->only_uid, true);
	if (r)
		frec__memories_leave(&engine->memories, service->life);
	return r;
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
	if (!watched && admit(engine, service, uid))
		return frec__error(reterr, -ENOMEM, "out of memory");
	// The service may have changed its user since the process table last read it.
	frec__process_table_refresh(&engine->processes, service->pid);
	frec__process_table_limit(&engine->processes, engine->rings.count * engine->rings.size);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

void frec__engine_detach(struct frec_engine *engine, const struct frec_watched *service)
{
	frec__watchlist_remove(&engine->watchlist, service->life, service->only_uid);
	frec__memories_leave(&engine->memories, service->life);
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
			if (!process->exit && frec__process_thread(process, tid))
				return process->pid;
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

// Returns the process that an alert is about, or NULL if it is not known. If too many processes are
// born, records of births are lost, and the table may have only an earlier process with this pid. A
// process that is dying can mostly still be looked up.
static struct frec_process *find_victim(struct frec_engine *engine, uint32_t pid, uint64_t time)
{
	struct frec_process *process = frec__process_table_find(&engine->processes, pid), *now;

	if (process && !process->exit)
		return process;
	now = frec__process_table_scan_one(&engine->processes, pid);
	if (now)
		return now;
	return process && process->exit >= time ? process : NULL;
}

// Returns the user for whom the snapshot of an unwatched process is written, or -1 for the
// recorder's owner. A recorder that serves other users writes it for the user of the process, so
// that the file counts against the quota of that user.
static int64_t heir_of(const struct frec_engine *engine, const struct frec_process *process)
{
	if (!engine->options.serves_others || !process || !process->owner.uid ||
	    process->owner.uid == geteuid() ||
	    !frec__owner_shows(&process->owner, process->owner.uid))
		return -1;
	return process->owner.uid;
}

void frec__engine_alert(void *context, const struct frec_alert *alert)
{
	struct frec_engine *engine = context;
	uint32_t pid = alert->pid ? alert->pid : process_of(engine, alert->tid);
	struct frec_victim victim = {.pid = pid};
	const struct frec_watched *watched;
	const struct frec_death *death;
	struct frec_process *process;

	frec__memories_meet(&engine->memories, pid);
	if (alert->kind == FREC_ALERT_EXEC)
		return;
	process = find_victim(engine, pid, alert->time);
	// Whose death it is, is decided now, while the process still has its memory, because it may
	// have given up or gained rights since its exec. A recorder of one service has one owner.
	if (process && engine->options.watch == FREC_WATCH_EMITTERS)
		frec__process_table_refresh_owner(process);
	watched = frec__watchlist_find(&engine->watchlist, process);
	if (!watched && engine->options.watch == FREC_WATCH_DESCENDANTS)
		return;
	victim.life = process ? process->life : 0;
	victim.watched = watched;
	victim.only_uid = watched ? watched->only_uid : heir_of(engine, process);
	// The workers of a service that runs this recorder are no strangers, whatever their user.
	if (!watched || engine->options.serves_others)
		victim.uid = process ? process->payer : FREC_USER_UNKNOWN;
	// The recorder's own children are killed when they take too long.
	if (!watched && process && process->ppid == (uint32_t)getpid())
		return;
	victim.emitted = process && process->has_emitted;
	frec__deaths_record(&engine->deaths, alert, &victim,
			    frec__ring_set_written(&engine->rings, NULL));
	death = frec__deaths_pending(&engine->deaths, pid);
	if (process && death && death->reason.life == process->life) {
		process->kept = true;
		// It may be dying for a while, and until then /proc leads to its files.
		if (!process->holds || process->holds_more)
			frec__held_files_begin(&engine->processes, process);
	}
	if (alert->kind == FREC_ALERT_FATAL)
		wait_for_core(engine, pid);
}

// Returns whether something may happen that nothing announces.
static bool is_restless(const struct frec_engine *engine)
{
	// A cool-down ends early if the rings are being overwritten.
	if (engine->deaths.count || engine->triggers.count)
		return true;
	// That deaths were missed is not reported at once.
	if (engine->deaths.missed)
		return true;
	// Births are found in /proc and in the memory of services.
	if (!engine->kernel)
		return engine->watchlist.count || engine->ends.count || engine->options.follows;
	// Some looks are put off, because they cost much.
	if (engine->rings.checks || engine->memories.spaces_due ||
	    engine->sideband.lost != engine->compared_lost)
		return true;
	return engine->blind || (engine->memories.count && engine->watchlist.count &&
				 !engine->sideband.available[FREC_ALERT_CLOCK]);
}

// Fills `fds` with what announces that there is something to look at. Alerts are not among them.
static size_t poll_bells(const struct frec_engine *engine, struct pollfd *fds, size_t room)
{
	size_t count = frec__sideband_poll(&engine->sideband, FREC_SIDEBAND_BELLS, fds, room);

	return count + frec__announcements_poll(&engine->announcements, fds + count, room - count);
}

static bool has_rung(const struct frec_engine *engine)
{
	struct pollfd fds[BELLS_MAX];

	return poll(fds, poll_bells(engine, fds, BELLS_MAX), 0) > 0;
}

static void wake_at(uint64_t time, int *milliseconds)
{
	int left = frec__milliseconds_until(time);

	if (*milliseconds < 0 || left < *milliseconds)
		*milliseconds = left;
}

static void rest(struct frec_engine *engine)
{
	frec__sideband_listen(&engine->sideband, false);
	engine->next_look = frec__monotonic() + LOOK_INTERVAL;
}

size_t frec__engine_poll(struct frec_engine *engine, struct pollfd *fds, size_t room,
			 int *ret_milliseconds)
{
	size_t count = frec__sideband_poll(&engine->sideband, FREC_SIDEBAND_ALERTS, fds, room);
	uint64_t idle_until;

	*ret_milliseconds = -1;
	if (!engine->next_look && is_restless(engine))
		rest(engine);
	if (engine->next_look)
		wake_at(engine->next_look, ret_milliseconds);
	else
		count += poll_bells(engine, fds + count, room - count);
	idle_until = frec__memories_idle_until(&engine->memories);
	if (idle_until)
		wake_at(idle_until, ret_milliseconds);
	if (frec__deaths_are_urgent(&engine->deaths, &engine->pace) &&
	    *ret_milliseconds > DEATH_INTERVAL)
		*ret_milliseconds = DEATH_INTERVAL;
	count += frec__deaths_poll(&engine->deaths, &engine->pace, fds + count, room - count);
	count += frec__ends_poll(&engine->ends, fds + count, room - count);
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
		struct frec_process *process;

		if (birth.ends) {
			frec__ends_expect_exit(&engine->ends, birth.pid);
			continue;
		}
		process = frec__process_table_scan_one(&engine->processes, birth.pid);
		if (!process || process->start + START_ROUNDING < engine->recording_since)
			continue;
		if (frec__watchlist_find(&engine->watchlist, process))
			frec__ends_await(&engine->ends, process, -1, false);
		else if (engine->options.follows)
			// If the first process is gone, this one may be the service.
			(void)frec__engine_watch(
				engine, process, -1,
				!frec__ends_is_alive(&engine->ends, engine->ends.first));
	}
}

// Reads what the kernel has reported, and decides when to look around next. Whatever has woken the
// recorder, it looks once more a moment later, because what was announced may have been about to
// happen. It goes on doing so as long as something happens, without being woken by each event.
static void look(struct frec_engine *engine)
{
	bool over = engine->next_look && frec__monotonic() >= engine->next_look;
	bool rung = over && has_rung(engine);
	uint64_t handled = engine->sideband.handled;

	if (frec__announcements_take(&engine->announcements) || engine->blind)
		frec__ring_set_suspect(&engine->rings);
	// Before the rings are read, so that what comes later rings.
	if (over)
		frec__sideband_listen(&engine->sideband, true);
	frec__engine_drain(engine);
	if (over && !rung && engine->sideband.handled == handled)
		engine->next_look = 0;
	else if (over || !engine->next_look)
		rest(engine);
}

static bool is_dying(void *context, const struct frec_process *process)
{
	const struct frec_engine *engine = context;

	return frec__deaths_has(&engine->deaths, process->pid);
}

void frec__engine_work(struct frec_engine *engine)
{
	frec__crash_records_sweep(&engine->sources.crash_records, &engine->deaths);
	look(engine);
	make_up_for_lost(engine);
	if (engine->ends.needed) {
		frec__ends_notice(&engine->ends);
		learn_forks(engine);
	}
	frec__ends_refresh(&engine->ends);
	frec__held_files_update(&engine->processes);
	frec__engine_work_off_deaths(engine);
	frec__engine_work_off_triggers(engine);
	frec__held_files_release(&engine->processes, is_dying, engine);
	// The kernel's lists of CPUs and events are read only at intervals, because reading them
	// costs more than the other steps, which are taken whenever the loop wakes.
	if (engine->kernel && frec__monotonic() - engine->refreshed >= LOOK_INTERVAL / 2) {
		engine->refreshed = frec__monotonic();
		frec__source_set_refresh(&engine->sources, &engine->sideband);
	}
	frec__memories_give_back(&engine->memories);
	frec__memories_refresh(&engine->memories);
	frec__breakpoints_refresh(&engine->breakpoints);
	frec__declarations_work(&engine->declarations);
	frec__source_set_refine(&engine->sources);
}
