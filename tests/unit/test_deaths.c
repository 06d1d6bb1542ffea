// SPDX-License-Identifier: MIT
// Proves that several alerts about one death become one reason, that a death is due when its
// process is gone, that the oldest death comes first, and that of the deaths in a loop the latest
// is kept.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/clocks.h"
#include "recorder/deaths.h"

#define RING (1u << 20)
#define NOBODY 4194304 /* beyond the largest pid */

#define KIND(kind) FLIGHTREC__TRIGGER__KIND__##kind

static const struct frec_alert
	fatal = {.kind = FREC_ALERT_FATAL, .tid = 12, .signal = SIGSEGV, .code = 1, .time = 300},
	killed = {.kind = FREC_ALERT_KILL, .signal = SIGKILL, .sender = 77, .time = 100},
	oom = {.kind = FREC_ALERT_OOM, .signal = SIGKILL, .time = 200};

static const struct frec_cooldown none; // lasts no time, so nothing is a repeat
static const struct frec_pace nobody_rests;

static void record(struct frec_deaths *deaths, const struct frec_alert *alert, uint32_t pid,
		   int64_t only_uid, bool watched)
{
	const struct frec_victim victim = {.pid = pid, .only_uid = only_uid, .watched = watched};

	frec__deaths_record(deaths, alert, &victim, 0);
}

// Returns whether a death of process `pid` waits for its snapshot, be it a repeat or not.
static bool has(const struct frec_deaths *deaths, uint32_t pid)
{
	for (size_t i = 0; i < deaths->count; i++) {
		if (deaths->death[i].reason.pid == pid)
			return true;
	}
	return false;
}

static struct frec_reason after(const struct frec_alert *first, const struct frec_alert *second,
				const struct frec_alert *third)
{
	struct frec_deaths deaths = {0};
	struct frec_death death;

	record(&deaths, first, NOBODY, -1, false);
	if (second)
		record(&deaths, second, NOBODY, -1, false);
	if (third)
		record(&deaths, third, NOBODY, -1, false);
	assert_int_equal(deaths.count, 1);
	assert_true(frec__deaths_due(&deaths, &none, &nobody_rests, 0, RING, &death));
	assert_int_equal(death.reason.pid, NOBODY);
	assert_false(frec__deaths_due(&deaths, &none, &nobody_rests, 0, RING, &death));
	return death.reason;
}

static void alerts_merge(void **state)
{
	struct frec_reason reason;

	(void)state;
	reason = after(&killed, NULL, NULL);
	assert_int_equal(reason.kind, KIND(KILLED));
	assert_int_equal(reason.sender, 77);
	assert_int_equal(reason.time, 100);
	assert_string_equal(reason.name, "killed");
	reason = after(&killed, &oom, NULL);
	assert_int_equal(reason.kind, KIND(OUT_OF_MEMORY));
	assert_int_equal(reason.sender, 0);
	assert_int_equal(reason.time, 100);
	assert_string_equal(reason.name, "oom");
	reason = after(&oom, &killed, NULL);
	assert_int_equal(reason.kind, KIND(OUT_OF_MEMORY));
	assert_int_equal(reason.sender, 0);
	assert_int_equal(reason.signal, SIGKILL);
	// A crash remains the reason, whatever other alerts come before or after it.
	reason = after(&killed, &oom, &fatal);
	assert_int_equal(reason.kind, KIND(CRASH));
	assert_int_equal(reason.signal, SIGSEGV);
	assert_int_equal(reason.tid, 12);
	assert_int_equal(reason.time, 300);
	assert_int_equal(reason.sender, 0);
	assert_string_equal(reason.name, "crash");
	reason = after(&fatal, &killed, &oom);
	assert_int_equal(reason.kind, KIND(CRASH));
	assert_int_equal(reason.signal, SIGSEGV);
	assert_int_equal(reason.code, 1);
	assert_int_equal(reason.sender, 0);
}

static void due_when_gone(void **state)
{
	struct frec_deaths deaths = {0};
	struct frec_death death;
	pid_t child = fork();

	(void)state;
	if (!child) {
		pause();
		_exit(0);
	}
	record(&deaths, &killed, (uint32_t)child, 1000, false);
	assert_false(frec__deaths_due(&deaths, &none, &nobody_rests, 0, RING, &death));
	// The death is due, because younger events are about to overwrite the events before the
	// death.
	assert_true(frec__deaths_due(&deaths, &none, &nobody_rests, RING / 4, RING, &death));
	assert_int_equal(death.only_uid, 1000);
	record(&deaths, &killed, (uint32_t)child, -1, false);
	record(&deaths, &killed, NOBODY, -1, false);
	assert_true(frec__deaths_due(&deaths, &none, &nobody_rests, 0, RING, &death));
	assert_int_equal(death.reason.pid, NOBODY);
	assert_false(frec__deaths_due(&deaths, &none, &nobody_rests, 0, RING, &death));
	kill(child, SIGKILL);
	// A process that is a zombie counts as gone.
	assert_int_equal(waitid(P_PID, (id_t)child, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	assert_true(frec__deaths_due(&deaths, &none, &nobody_rests, 0, RING, &death));
	assert_int_equal(death.reason.pid, child);
	waitpid(child, NULL, 0);
	// A death is due after a while in any case, because writing a core dump can take long.
	record(&deaths, &killed, (uint32_t)getpid(), -1, false);
	assert_false(frec__deaths_due(&deaths, &none, &nobody_rests, 0, RING, &death));
	deaths.death[0].since -= (FREC_DEATH_WAIT_MAX + 1) * UINT64_C(1000000);
	assert_true(frec__deaths_due(&deaths, &none, &nobody_rests, 0, RING, &death));
}

static void deaths_are_bounded(void **state)
{
	struct frec_deaths deaths = {0};
	struct frec_death death;
	int seen = 0;

	(void)state;
	for (uint32_t i = 0; i < FREC_DEATHS_MAX + 10; i++)
		record(&deaths, &killed, NOBODY + i, -1, false);
	assert_int_equal(deaths.count, FREC_DEATHS_MAX);
	while (frec__deaths_due(&deaths, &none, &nobody_rests, 0, RING, &death))
		seen++;
	assert_int_equal(seen, FREC_DEATHS_MAX);
	record(&deaths, &killed, (uint32_t)getpid(), -1, false);
	frec__deaths_deinit(&deaths);
	assert_int_equal(deaths.count, 0);
}

// Two processes that had the same pid one after the other are two deaths. What comes later about
// that pid is about the second one.
static void a_pid_is_used_again(void **state)
{
	struct frec_deaths deaths = {0};
	struct frec_victim victim = {.pid = NOBODY, .life = 1, .only_uid = -1};
	struct frec_death death;

	(void)state;
	frec__deaths_record(&deaths, &fatal, &victim, 0);
	victim.life = 2;
	victim.only_uid = 1000;
	frec__deaths_record(&deaths, &killed, &victim, 0);
	frec__deaths_record(&deaths, &killed, &victim, 0);
	assert_int_equal(deaths.count, 2);
	assert_int_equal(frec__deaths_pending(&deaths, NOBODY)->reason.life, 2);
	for (uint64_t i = 0; i < 2; i++) {
		assert_true(frec__deaths_due(&deaths, &none, &nobody_rests, 0, RING, &death));
		assert_int_equal(death.only_uid, death.reason.life == 1 ? -1 : 1000);
	}
	assert_int_equal(deaths.count, 0);
}

static void stacks_are_waited_for(void **state)
{
	struct frec_deaths deaths = {0};
	struct frec_death death;

	(void)state;
	record(&deaths, &fatal, NOBODY, -1, false);
	assert_non_null(frec__deaths_pending(&deaths, NOBODY));
	assert_null(frec__deaths_pending(&deaths, NOBODY + 1));
	// A death on hold is not due even if its process is gone, unless the time of the hold is
	// over or the events before the crash are about to be overwritten.
	frec__deaths_hold(&deaths, NOBODY, UINT64_MAX);
	assert_false(frec__deaths_due(&deaths, &none, &nobody_rests, 0, RING, &death));
	frec__deaths_hold(&deaths, NOBODY, frec__monotonic());
	assert_true(frec__deaths_due(&deaths, &none, &nobody_rests, 0, RING, &death));
	record(&deaths, &fatal, NOBODY, -1, false);
	frec__deaths_hold(&deaths, NOBODY, UINT64_MAX);
	assert_true(frec__deaths_due(&deaths, &none, &nobody_rests, RING / 4, RING, &death));
	record(&deaths, &fatal, NOBODY, -1, false);
	frec__deaths_hold(&deaths, NOBODY, UINT64_MAX);
	frec__deaths_hold(&deaths, NOBODY, 0);
	assert_true(frec__deaths_due(&deaths, &none, &nobody_rests, 0, RING, &death));
	assert_null(frec__deaths_pending(&deaths, NOBODY));
}

// The oldest death comes first whatever the order of the alerts, which depends on the order in
// which the rings of the CPUs are drained.
static void the_oldest_comes_first(void **state)
{
	static const uint64_t times[] = {500, 300, 900, 100, 700};
	struct frec_deaths deaths = {0};
	struct frec_death death;
	uint64_t last = 0;

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		struct frec_alert alert = fatal;

		alert.time = times[i];
		record(&deaths, &alert, NOBODY + i, -1, false);
	}
	// This death is the oldest of all, but its process still lives.
	record(&deaths, &(struct frec_alert){.kind = FREC_ALERT_FATAL, .time = 50},
	       (uint32_t)getpid(), -1, false);
	for (int i = 0; i < 5; i++) {
		assert_true(frec__deaths_due(&deaths, &none, &nobody_rests, 0, RING, &death));
		assert_true(death.reason.time > last);
		last = death.reason.time;
	}
	assert_int_equal(last, 900);
	assert_false(frec__deaths_due(&deaths, &none, &nobody_rests, 0, RING, &death));
	frec__deaths_deinit(&deaths);
}

// Of the deaths in a loop the latest is kept, with the number of the others.
static void a_loop_keeps_the_latest(void **state)
{
	const struct frec_cause cause = {.kind = KIND(CRASH), .name = "/bin/x", .only_uid = -1};
	struct frec_cooldown cooldown = {.duration = UINT64_C(3600000000000)};
	uint64_t until = frec__monotonic() + cooldown.duration;
	struct frec_deaths deaths = {0};
	struct frec_death death;

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		struct frec_alert alert = fatal;

		alert.time = 1000 + i;
		record(&deaths, &alert, NOBODY + i, -1, true);
		assert_true(frec__deaths_are_urgent(&deaths, &nobody_rests));
		assert_true(frec__deaths_due(&deaths, &cooldown, &nobody_rests, 0, RING, &death));
		assert_int_equal(death.reason.pid, NOBODY + i);
		death.cause = cause;
		frec__deaths_cool(&deaths, &death, until);
		assert_int_equal(deaths.count, 1);
		assert_false(frec__deaths_are_urgent(&deaths, &nobody_rests));
	}
	assert_int_equal(deaths.coalesced, 3);
	assert_true(has(&deaths, NOBODY + 3));
	assert_false(has(&deaths, NOBODY + 2));
	// The kept death is complete, so an alert about a later process with that pid is not about
	// it.
	assert_null(frec__deaths_pending(&deaths, NOBODY + 3));
	// Within the first tenth of the cool-down the death is not due even if the rings are
	// overwritten.
	assert_false(frec__deaths_due(&deaths, &cooldown, &nobody_rests, RING, RING, &death));
	// A death of another cause is not part of the loop.
	record(&deaths, &fatal, NOBODY + 9, -1, true);
	assert_true(frec__deaths_due(&deaths, &cooldown, &nobody_rests, 0, RING, &death));
	assert_int_equal(death.reason.pid, NOBODY + 9);
	death.cause = cause;
	death.cause.signal = SIGBUS;
	frec__deaths_cool(&deaths, &death, until);
	assert_int_equal(deaths.count, 2);
	deaths.hurry = true;
	assert_true(frec__deaths_due(&deaths, &cooldown, &nobody_rests, 0, RING, &death));
	assert_int_equal(death.reason.pid, NOBODY + 9);
	assert_int_equal(death.reason.coalesced, 0);
	assert_true(frec__deaths_due(&deaths, &cooldown, &nobody_rests, 0, RING, &death));
	assert_int_equal(death.reason.pid, NOBODY + 3);
	assert_int_equal(death.reason.coalesced, 3);
	assert_int_equal(death.reason.coalesced_since, 1000);
	assert_false(frec__deaths_due(&deaths, &cooldown, &nobody_rests, 0, RING, &death));
}

#define STRANGER 70000u

static void record_of(struct frec_deaths *deaths, uint32_t pid, uint32_t uid, bool emitted)
{
	const struct frec_victim victim = {
		.pid = pid, .uid = uid, .only_uid = -1, .emitted = emitted};
	struct frec_alert alert = fatal;

	alert.time = pid;
	frec__deaths_record(deaths, &alert, &victim, 0);
}

// A crash loop of one user, or of many, leaves root its places.
static void users_have_shares(void **state)
{
	static struct frec_deaths deaths;
	uint32_t pid = NOBODY;

	(void)state;
	for (int i = 0; i < 300; i++)
		record_of(&deaths, pid++, STRANGER, true);
	assert_int_equal(deaths.count, FREC_DEATHS_MAX / 4);
	assert_int_equal(deaths.missed, 300 - FREC_DEATHS_MAX / 4);
	for (uint32_t user = 1; user < 10; user++) {
		for (int i = 0; i < 30; i++)
			record_of(&deaths, pid++, STRANGER + user, true);
	}
	assert_int_equal(deaths.count, FREC_DEATHS_MAX / 4 * 3);
	for (int i = 0; i < FREC_DEATHS_MAX / 4; i++)
		record_of(&deaths, pid++, 0, true);
	assert_int_equal(deaths.count, FREC_DEATHS_MAX);
	frec__deaths_deinit(&deaths);
}

static void root_is_first_and_strangers_take_turns(void **state)
{
	// Of three users, in this order.
	static const uint32_t users[] = {STRANGER,     STRANGER,     STRANGER,
					 STRANGER + 1, STRANGER + 1, 0},
			      order[] = {5, 0, 3, 1, 4, 2};
	static struct frec_deaths deaths;
	struct frec_pace pace = {0};
	struct frec_death death;

	(void)state;
	for (uint32_t i = 0; i < 6; i++)
		record_of(&deaths, NOBODY + i, users[i], true);
	for (uint32_t i = 0; i < 6; i++) {
		assert_true(frec__deaths_due(&deaths, &none, &pace, 0, RING, &death));
		assert_int_equal(death.reason.pid, NOBODY + order[i]);
	}
	// Deaths of users that rest are not due, unless the recorder ends.
	record_of(&deaths, NOBODY, STRANGER, true);
	record_of(&deaths, NOBODY + 1, STRANGER + 1, true);
	pace.user[7].uid = STRANGER;
	pace.user[7].until = UINT64_MAX;
	assert_int_equal(frec__deaths_count(&deaths, &pace), 1);
	assert_true(frec__deaths_due(&deaths, &none, &pace, 0, RING, &death));
	assert_int_equal(death.uid, STRANGER + 1);
	assert_false(frec__deaths_due(&deaths, &none, &pace, 0, RING, &death));
	assert_false(frec__deaths_are_urgent(&deaths, &pace));
	pace.mode = FREC_PACE_ALL;
	assert_true(frec__deaths_due(&deaths, &none, &pace, 0, RING, &death));
}

static bool has_emitted(void *context, const struct frec_reason *reason)
{
	return reason->pid == *(const uint32_t *)context;
}

static void count_one(void *context, const struct frec_reason *reason)
{
	(void)reason;
	++*(int *)context;
}

// Processes that emitted nothing are in nobody's way.
static void the_silent_give_way(void **state)
{
	static struct frec_deaths deaths;
	uint32_t emitter = NOBODY + 7;
	int dropped = 0;

	(void)state;
	for (uint32_t i = 0; i < FREC_DEATHS_MAX; i++)
		record_of(&deaths, NOBODY + i, 0, false);
	record_of(&deaths, NOBODY + 1000, 0, false);
	assert_false(has(&deaths, NOBODY + 1000));
	record_of(&deaths, NOBODY + 1001, 0, true);
	assert_true(has(&deaths, NOBODY + 1001));
	assert_false(has(&deaths, NOBODY + FREC_DEATHS_MAX - 1));
	assert_int_equal(deaths.missed, 2);
	// A process that still runs may emit after the search, so it stays.
	deaths.death[0].pidfd = dup(STDIN_FILENO);
	frec__deaths_note_gone(&deaths);
	deaths.death[0].gone = false;
	frec__deaths_search(&deaths, has_emitted, &emitter);
	frec__deaths_drop_silent(&deaths, count_one, &dropped);
	assert_int_equal(deaths.count, 3);
	assert_int_equal(dropped, FREC_DEATHS_MAX - 3);
	assert_true(has(&deaths, NOBODY));
	assert_true(has(&deaths, emitter));
	assert_true(has(&deaths, NOBODY + 1001));
	frec__deaths_deinit(&deaths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alerts_merge),
		cmocka_unit_test(due_when_gone),
		cmocka_unit_test(deaths_are_bounded),
		cmocka_unit_test(a_pid_is_used_again),
		cmocka_unit_test(stacks_are_waited_for),
		cmocka_unit_test(the_oldest_comes_first),
		cmocka_unit_test(a_loop_keeps_the_latest),
		cmocka_unit_test(users_have_shares),
		cmocka_unit_test(root_is_first_and_strangers_take_turns),
		cmocka_unit_test(the_silent_give_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
