// SPDX-License-Identifier: MIT
// Births by /proc, ends by pidfd.
#include "recorder/engine_ends.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/clocks.h"
#include "recorder/sources/crash_record.h"
#include "recorder/processes/proc_poll.h"
#include "recorder/processes/proc_scan.h"
#include "recorder/processes/process_end.h"

// Between two looks at /proc, and at the names there, in nanoseconds.
#define BIRTHS_INTERVAL UINT64_C(50000000)
#define NAMES_INTERVAL UINT64_C(1000000000)

// A zombie that nobody may ask is given up after so many nanoseconds.
#define PATIENCE UINT64_C(1000000000)

struct frec_awaited {
	uint32_t pid;
	int pidfd;
	int64_t only_uid;
	bool tells;    /* it would have said so if it had ended by itself */
	uint64_t gone; /* when it was first seen to have ended, 0 */
};

void frec__engine_await(struct frec_engine *engine, uint32_t pid, int64_t only_uid, bool tells)
{
	struct frec_awaited *grown;
	int pidfd;

	if (engine->kernel || engine->awaited_count == FREC_ENDS_MAX)
		return;
	for (size_t i = 0; i < engine->awaited_count; i++) {
		if (engine->awaited[i].pid == pid) {
			engine->awaited[i].tells |= tells;
			return;
		}
	}
	grown = reallocarray(engine->awaited, engine->awaited_count + 1, sizeof(*grown));
	if (!grown)
		return;
	engine->awaited = grown;
	// It can be younger than the last look at /proc.
	frec__process_table_scan_one(&engine->processes, pid);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd >= 0)
		grown[engine->awaited_count++] = (struct frec_awaited){
			.pid = pid, .pidfd = pidfd, .only_uid = only_uid, .tells = tells};
}

void frec__engine_excuse(struct frec_engine *engine, uint32_t pid)
{
	for (size_t i = 0; i < engine->awaited_count; i++) {
		if (engine->awaited[i].pid == pid)
			engine->awaited[i].tells = false;
	}
}

bool frec__engine_awaits(const struct frec_engine *engine)
{
	return engine->awaited_count;
}

static void await_descendant(void *context, const struct frec_process *process)
{
	struct frec_engine *engine = context;
	const struct frec_watched *watched = frec__engine_find_watched(engine, process->pid);

	if (watched)
		frec__engine_await(engine, process->pid, watched->only_uid, false);
}

static bool matters(void *context, const struct frec_process *process)
{
	return frec__engine_find_watched(context, process->pid);
}

static void look_for_births(struct frec_engine *engine)
{
	uint64_t now = frec__monotonic();
	bool names = now >= engine->next_names;

	if (now < engine->next_births)
		return;
	frec__process_table_poll(&engine->processes, matters, engine, names);
	frec__process_table_each(&engine->processes, await_descendant, engine);
	engine->next_births = frec__process_table_next_poll(now, BIRTHS_INTERVAL);
	if (names)
		engine->next_names = frec__process_table_next_poll(now, NAMES_INTERVAL);
}

// The same deaths as the sideband would tell of.
static void note(struct frec_engine *engine, const struct frec_awaited *awaited, int status)
{
	struct frec_alert alert = {
		.pid = awaited->pid, .time = frec__monotonic(), .code_unknown = true};

	if (!WIFSIGNALED(status))
		return;
	alert.signal = WTERMSIG(status);
	alert.kind = FREC_IS_CRASH(alert.signal) ? FREC_ALERT_FATAL : FREC_ALERT_KILL;
	if (alert.kind == FREC_ALERT_FATAL || alert.signal == SIGKILL)
		frec__engine_note_death(engine, &alert, awaited->pid, awaited->only_uid);
}

static void note_gone(struct frec_engine *engine, const struct frec_awaited *awaited)
{
	const struct frec_alert alert = {.kind = FREC_ALERT_GONE,
					 .pid = awaited->pid,
					 .time = frec__monotonic(),
					 .code_unknown = true};

	frec__engine_note_death(engine, &alert, awaited->pid, awaited->only_uid);
}

static bool has_ended(struct frec_engine *engine, struct frec_awaited *awaited)
{
	int status, r = frec__process_end(awaited->pidfd, awaited->pid, &status);

	if (r == -EAGAIN) {
		struct pollfd poller = {.fd = awaited->pidfd, .events = POLLIN};

		if (!awaited->gone && poll(&poller, 1, 0) == 1)
			awaited->gone = frec__monotonic();
		if (!awaited->gone || frec__monotonic() - awaited->gone < PATIENCE)
			return false;
	}
	if (!r)
		note(engine, awaited, status);
	else if (awaited->tells)
		note_gone(engine, awaited);
	frec__process_table_end(&engine->processes, awaited->pid, frec__monotonic());
	return true;
}

void frec__engine_look_ends(struct frec_engine *engine)
{
	if (engine->kernel)
		return;
	look_for_births(engine);
	for (size_t i = engine->awaited_count; i-- > 0;) {
		if (!has_ended(engine, &engine->awaited[i]))
			continue;
		close(engine->awaited[i].pidfd);
		engine->awaited[i] = engine->awaited[--engine->awaited_count];
	}
}

size_t frec__engine_poll_ends(const struct frec_engine *engine, struct pollfd *fds, size_t room)
{
	size_t count = 0;

	for (size_t i = 0; i < engine->awaited_count && count < room; i++) {
		// One that has ended and does not tell how would keep the loop spinning.
		if (!engine->awaited[i].gone)
			fds[count++] =
				(struct pollfd){.fd = engine->awaited[i].pidfd, .events = POLLIN};
	}
	return count;
}

void frec__engine_stop_ends(struct frec_engine *engine)
{
	for (size_t i = 0; i < engine->awaited_count; i++)
		close(engine->awaited[i].pidfd);
	free(engine->awaited);
	engine->awaited = NULL;
	engine->awaited_count = 0;
}
