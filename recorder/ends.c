// SPDX-License-Identifier: MIT
// Finding births in /proc and ends by pidfds.
#include "recorder/ends.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/clocks.h"
#include "proto/grow.h"
#include "proto/share.h"
#include "recorder/processes/proc_poll.h"
#include "recorder/processes/proc_scan.h"
#include "recorder/processes/process_end.h"
#include "recorder/sources/crash_record.h"

// Nanoseconds between two searches of /proc for births, and between two readings of names there.
#define BIRTHS_INTERVAL UINT64_C(50000000)
#define NAMES_INTERVAL UINT64_C(1000000000)

struct frec_awaited {
	uint32_t pid;
	uint64_t life;
	int pidfd;
	int64_t only_uid;
	bool announces; /* the process announces an end of its own will */
	bool announced; /* it has done so */
	uint64_t gone;	/* when the process was first seen to have ended, or 0 */
	bool fresh;	/* its end was first seen in the current round */
	bool made_way;	/* when the process ended, the service went on in another one */
};

// Returns the last process with that pid, or NULL.
static struct frec_awaited *find(const struct frec_ends *ends, uint32_t pid)
{
	for (size_t i = ends->count; i-- > 0;) {
		if (ends->awaited[i].pid == pid)
			return &ends->awaited[i];
	}
	return NULL;
}

static bool has_room(const struct frec_ends *ends, int64_t only_uid)
{
	struct frec_share share = {.uid = frec__user_of(only_uid)};

	for (size_t i = 0; i < ends->count; i++)
		frec__share_count(&share, frec__user_of(ends->awaited[i].only_uid), 1);
	return frec__share_has_room(&share, 1, FREC_ENDS_MAX);
}

void frec__ends_await(struct frec_ends *ends, const struct frec_process *process, int64_t only_uid,
		      bool announces)
{
	struct frec_awaited *known = find(ends, process->pid);
	int pidfd;

	// An earlier process with this pid, whose end has not been worked off, is another one.
	if (known && known->life != process->life)
		known = NULL;
	if (known)
		known->announces |= announces;
	if (!ends->needed || known || !has_room(ends, only_uid) ||
	    !frec__grow(&ends->awaited, ends->count, sizeof(*ends->awaited)))
		return;
	pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	if (pidfd >= 0)
		ends->awaited[ends->count++] = (struct frec_awaited){.pid = process->pid,
								     .life = process->life,
								     .pidfd = pidfd,
								     .only_uid = only_uid,
								     .announces = announces};
}

bool frec__ends_is_alive(const struct frec_ends *ends, uint32_t pid)
{
	const struct frec_awaited *awaited = find(ends, pid);

	return awaited && !frec__pidfd_is_over(awaited->pidfd);
}

void frec__ends_expect_exit(struct frec_ends *ends, uint32_t pid)
{
	struct frec_awaited *awaited = find(ends, pid);

	if (awaited)
		awaited->announced = true;
	ends->announced = true;
}

static void await_descendant(void *context, const struct frec_process *process)
{
	struct frec_ends *ends = context;
	const struct frec_watched *watched = frec__watchlist_find(ends->watchlist, process);

	// A keeper descends from its service, but does not wait for itself.
	if (watched && process->pid != (uint32_t)getpid())
		frec__ends_await(ends, process, watched->only_uid, false);
}

static void find_births(struct frec_ends *ends)
{
	uint64_t now = frec__monotonic();
	bool names = now >= ends->next_names;

	if (now < ends->next_births)
		return;
	frec__process_table_poll(ends->processes, frec__watchlist_matters, (void *)ends->watchlist,
				 names);
	frec__process_table_each(ends->processes, await_descendant, ends);
	ends->next_births = frec__process_table_next_poll(now, BIRTHS_INTERVAL);
	if (names)
		ends->next_names = frec__process_table_next_poll(now, NAMES_INTERVAL);
}

static void record_death(const struct frec_ends *ends, const struct frec_awaited *awaited,
			 enum frec_alert_kind kind, int signal)
{
	const struct frec_alert alert = {.kind = kind,
					 .pid = awaited->pid,
					 .signal = signal,
					 .time = frec__monotonic(),
					 .code_unknown = true};
	const struct frec_victim victim = {.pid = awaited->pid,
					   .life = awaited->life,
					   .uid = frec__user_of(awaited->only_uid),
					   .only_uid = awaited->only_uid,
					   .watched = true};

	frec__deaths_record(ends->deaths, &alert, &victim,
			    frec__ring_set_written(ends->rings, NULL));
}

// Records a death if the sideband would report one.
static void record_status(const struct frec_ends *ends, const struct frec_awaited *awaited,
			  int status)
{
	if (!WIFSIGNALED(status))
		return;
	if (FREC_IS_CRASH(WTERMSIG(status)))
		record_death(ends, awaited, FREC_ALERT_FATAL, WTERMSIG(status));
	else if (WTERMSIG(status) == SIGKILL)
		record_death(ends, awaited, FREC_ALERT_KILL, SIGKILL);
}

// Returns whether a process of the service still has its socket.
static bool is_held(const struct frec_ends *ends)
{
	struct pollfd poller = {.fd = ends->life_line ? *ends->life_line : -1};

	return poller.fd >= 0 && !poll(&poller, 1, 0);
}

static bool has_ended(const struct frec_ends *ends, struct frec_awaited *awaited)
{
	const uint64_t patience = FREC_ENDS_PATIENCE * UINT64_C(1000000);
	const struct frec_process *process;
	int status, r;

	if (!awaited->gone)
		return false;
	// The process in which the service went on may have ended by now, too, but has announced
	// that.
	if (awaited->fresh)
		awaited->made_way = ends->held || ends->announced;
	awaited->fresh = false;
	r = frec__process_end(awaited->pidfd, awaited->pid, &status);
	if (r == -EAGAIN && frec__monotonic() - awaited->gone < patience)
		return false;
	if (!r)
		record_status(ends, awaited, status);
	else if (awaited->announces && !awaited->announced && !awaited->made_way)
		record_death(ends, awaited, FREC_ALERT_GONE, 0);
	process = frec__process_table_find(ends->processes, awaited->pid);
	if (process && process->life == awaited->life)
		frec__process_table_end(ends->processes, awaited->pid, frec__monotonic());
	return true;
}

void frec__ends_notice(struct frec_ends *ends)
{
	for (size_t i = 0; i < ends->count; i++) {
		struct frec_awaited *awaited = &ends->awaited[i];

		if (awaited->gone || !frec__pidfd_is_over(awaited->pidfd))
			continue;
		awaited->gone = frec__monotonic();
		awaited->fresh = true;
	}
	ends->held = is_held(ends);
}

void frec__ends_refresh(struct frec_ends *ends)
{
	if (!ends->needed)
		return;
	find_births(ends);
	for (size_t i = ends->count; i-- > 0;) {
		if (!has_ended(ends, &ends->awaited[i]))
			continue;
		close(ends->awaited[i].pidfd);
		ends->awaited[i] = ends->awaited[--ends->count];
	}
	ends->announced = false;
}

size_t frec__ends_poll(const struct frec_ends *ends, struct pollfd *fds, size_t room)
{
	size_t count = 0;

	for (size_t i = 0; i < ends->count && count < room; i++) {
		// The pidfd of a process that ended stays readable. Polling the pidfd while the
		// exit status cannot be read would keep the loop spinning.
		if (!ends->awaited[i].gone)
			fds[count++] =
				(struct pollfd){.fd = ends->awaited[i].pidfd, .events = POLLIN};
	}
	return count;
}

void frec__ends_deinit(struct frec_ends *ends)
{
	for (size_t i = 0; i < ends->count; i++)
		close(ends->awaited[i].pidfd);
	free(ends->awaited);
	*ends = (struct frec_ends){0};
}
