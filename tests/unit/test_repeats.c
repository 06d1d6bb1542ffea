// SPDX-License-Identifier: MIT
// Proves which requests and deaths are repeats, for how long they wait, and that none is forgotten.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/clocks.h"
#include "recorder/triggers.h"

#define RING (1u << 20)
#define HOUR UINT64_C(3600000000000)

static const struct frec_pace nobody_rests;

static struct frec_cause named(const char *name, uint32_t pid)
{
	struct frec_cause cause = {
		.kind = FLIGHTREC__TRIGGER__KIND__REQUEST, .pid = pid, .only_uid = -1};

	strcpy(cause.name, name);
	return cause;
}

static void a_cause_cools_down(void **state)
{
	struct frec_cooldown cooldown = {.duration = 1000};
	struct frec_cause slow = named("slow", 7), other;

	(void)state;
	assert_int_equal(frec__cooldown_until(&cooldown, &slow, 5000), 0);
	frec__cooldown_begin(&cooldown, &slow, 4990, 5000);
	assert_int_equal(frec__cooldown_until(&cooldown, &slow, 5000), 6000);
	assert_int_equal(frec__cooldown_until(&cooldown, &slow, 5999), 6000);
	assert_int_equal(frec__cooldown_until(&cooldown, &slow, 6000), 0);
	// Causes that differ in any member are different.
	other = named("slower", 7);
	assert_int_equal(frec__cooldown_until(&cooldown, &other, 5500), 0);
	other = named("slow", 8);
	assert_int_equal(frec__cooldown_until(&cooldown, &other, 5500), 0);
	other = slow;
	other.only_uid = 1000;
	assert_int_equal(frec__cooldown_until(&cooldown, &other, 5500), 0);
	other = slow;
	other.signal = 6;
	assert_int_equal(frec__cooldown_until(&cooldown, &other, 5500), 0);
	other = slow;
	other.kind = FLIGHTREC__TRIGGER__KIND__CRASH;
	assert_int_equal(frec__cooldown_until(&cooldown, &other, 5500), 0);
	// Without a duration nothing is a repeat.
	cooldown.duration = 0;
	assert_int_equal(frec__cooldown_until(&cooldown, &slow, 5000), 0);
}

// The cool-down ends early if the rings are overwritten, but not before its first tenth has passed.
static void an_early_end(void **state)
{
	const struct frec_cooldown cooldown = {.duration = 1000};

	(void)state;
	assert_false(frec__cooldown_is_over(&cooldown, 6000, 5999, false));
	assert_true(frec__cooldown_is_over(&cooldown, 6000, 6000, false));
	assert_false(frec__cooldown_is_over(&cooldown, 6000, 5099, true));
	assert_true(frec__cooldown_is_over(&cooldown, 6000, 5100, true));
}

// Only a process that was born after the first death belongs to a loop, however long the loop goes
// on.
static void loops(void **state)
{
	struct frec_cooldown cooldown = {.duration = 1000};
	struct frec_cause cause = named("/bin/x", 0);

	(void)state;
	assert_false(frec__cooldown_is_loop(&cooldown, &cause, 9000));
	frec__cooldown_begin(&cooldown, &cause, 5000, 5010);
	assert_false(frec__cooldown_is_loop(&cooldown, &cause, 0)); // unknown
	assert_false(frec__cooldown_is_loop(&cooldown, &cause, 4999));
	assert_true(frec__cooldown_is_loop(&cooldown, &cause, 5001));
	// A later death of the same cause does not move the start of the loop, so a process that
	// was born in between still belongs to it.
	frec__cooldown_begin(&cooldown, &cause, 5200, 5300);
	assert_true(frec__cooldown_is_loop(&cooldown, &cause, 5001));
	// A death after a long pause starts another loop.
	frec__cooldown_begin(&cooldown, &cause, 9000, 9010);
	assert_false(frec__cooldown_is_loop(&cooldown, &cause, 5001));
}

// If there are too many causes, the oldest is forgotten, and no other.
static void causes_are_bounded(void **state)
{
	struct frec_cooldown cooldown = {.duration = HOUR};
	struct frec_cause cause = named("first", 0);
	uint64_t now = 1;

	(void)state;
	frec__cooldown_begin(&cooldown, &cause, now, now);
	for (uint32_t i = 1; i <= FREC_CAUSES_MAX; i++) {
		assert_true(frec__cooldown_until(&cooldown, &cause, now));
		cause.pid = i;
		now++;
		frec__cooldown_begin(&cooldown, &cause, now, now);
		cause.pid = i < FREC_CAUSES_MAX ? 0 : 1;
	}
	assert_true(frec__cooldown_until(&cooldown, &cause, now));
	cause.pid = 0;
	assert_false(frec__cooldown_until(&cooldown, &cause, now));
}

static uint64_t hold(struct frec_triggers *triggers, const char *name, uint64_t time)
{
	const struct frec_reason reason = {.time = time, .by_pid = (uint32_t)time};
	struct frec_cause cause = named(name, 0);

	return frec__triggers_hold(triggers, &cause, &reason, frec__monotonic() + HOUR, 0);
}

static void requests_are_gathered(void **state)
{
	static struct frec_triggers triggers;
	const struct frec_cooldown cooldown = {.duration = HOUR};
	struct frec_trigger due;
	uint64_t slow, again;

	(void)state;
	slow = hold(&triggers, "slow", 100);
	assert_true(slow);
	again = hold(&triggers, "again", 150);
	assert_int_not_equal(again, slow);
	for (uint64_t i = 1; i <= 10000; i++)
		assert_int_equal(hold(&triggers, "slow", 100 + i), slow);
	assert_int_equal(triggers.count, 2);
	assert_int_equal(triggers.coalesced, 10000);
	assert_false(frec__triggers_due(&triggers, &cooldown, &nobody_rests, 0, RING, &due));
	triggers.hurry = true;
	assert_true(frec__triggers_due(&triggers, &cooldown, &nobody_rests, 0, RING, &due));
	// The snapshot is for the last request, and says how many others there were.
	assert_int_equal(due.number, slow);
	assert_int_equal(due.reason.time, 10100);
	assert_int_equal(due.reason.by_pid, 10100);
	assert_int_equal(due.reason.coalesced, 10000);
	assert_int_equal(due.reason.coalesced_since, 100);
	assert_true(frec__triggers_due(&triggers, &cooldown, &nobody_rests, 0, RING, &due));
	assert_int_equal(due.number, again);
	assert_int_equal(due.reason.coalesced, 0);
	assert_int_equal(due.reason.coalesced_since, 0);
	assert_false(frec__triggers_due(&triggers, &cooldown, &nobody_rests, 0, RING, &due));
	// The next request is for another snapshot.
	assert_int_not_equal(hold(&triggers, "slow", 1), slow);
}

// If the table is full, a request of another cause is not held, but answered at once.
static void requests_are_bounded(void **state)
{
	static struct frec_triggers triggers;
	char name[16] = "a";

	(void)state;
	for (int i = 0; i < FREC_CAUSES_MAX; i++, name[0]++)
		assert_true(hold(&triggers, name, 1));
	assert_false(hold(&triggers, "one more", 1));
	assert_true(hold(&triggers, "a", 2));
}

#define STRANGER 70000

static uint64_t hold_of(struct frec_triggers *triggers, uint32_t number, int64_t only_uid)
{
	const struct frec_reason reason = {.time = 1};
	struct frec_cause cause = named("one", number);

	cause.only_uid = only_uid;
	return frec__triggers_hold(triggers, &cause, &reason, frec__monotonic() + HOUR, 0);
}

static void strangers_have_shares(void **state)
{
	static struct frec_triggers triggers;
	struct frec_cooldown cooldown = {.duration = 1000};
	struct frec_cause cause = named("root's", 0);
	struct frec_trigger due;
	uint32_t number = 0;

	(void)state;
	for (int64_t user = STRANGER; user < STRANGER + 4; user++) {
		for (int i = 0; i < FREC_CAUSES_MAX; i++)
			(void)hold_of(&triggers, ++number, user);
	}
	assert_int_equal(triggers.count, FREC_CAUSES_MAX / 4 * 3);
	// A request that joins another one needs no place.
	assert_true(hold_of(&triggers, 1, STRANGER));
	assert_true(hold_of(&triggers, ++number, -1));
	assert_true(frec__triggers_has_user(&triggers, STRANGER));
	assert_false(frec__triggers_has_user(&triggers, STRANGER + 3));
	triggers.hurry = true;
	assert_true(frec__triggers_due(&triggers, &cooldown, &nobody_rests, 0, RING, &due));
	assert_int_equal(due.cause.only_uid, -1);
	assert_true(frec__triggers_due(&triggers, &cooldown, &nobody_rests, 0, RING, &due));
	assert_int_equal(due.cause.only_uid, STRANGER);
	while (frec__triggers_next(&triggers, &due))
		;
	// However many causes strangers have, those of root are remembered.
	frec__cooldown_begin(&cooldown, &cause, 1, 1);
	for (int i = 0; i < 1000; i++) {
		struct frec_cause other = named("other", (uint32_t)i);

		other.only_uid = STRANGER + i % 10;
		frec__cooldown_begin(&cooldown, &other, 2, 2);
	}
	assert_true(frec__cooldown_until(&cooldown, &cause, 3));
	// Nor are they forgotten if all snapshots are root's, whoever dies.
	for (int i = 0; i < 1000; i++) {
		struct frec_cause other = named("died", (uint32_t)i);

		other.uid = STRANGER + (uint32_t)i % 10;
		frec__cooldown_begin(&cooldown, &other, 2, 2);
	}
	assert_true(frec__cooldown_until(&cooldown, &cause, 3));
}

// A program that root runs and a user crashes: the user's deaths do not make root's a repeat.
static void users_die_on_their_own(void **state)
{
	struct frec_cooldown cooldown = {.duration = 1000};
	struct frec_cause of_user = named("/bin/x", 0), of_root = of_user;

	(void)state;
	of_user.uid = STRANGER;
	frec__cooldown_begin(&cooldown, &of_user, 1, 1);
	assert_true(frec__cooldown_until(&cooldown, &of_user, 2));
	assert_false(frec__cooldown_until(&cooldown, &of_root, 2));
}

static void strangers_rest(void **state)
{
	struct frec_pace pace = {0};
	uint64_t began = UINT64_C(1000000000), ended = began + UINT64_C(300000000);

	(void)state;
	frec__pace_spend(&pace, 0, began, ended);
	assert_false(frec__pace_rests(&pace, 0, ended));
	assert_false(frec__pace_rests(&pace, STRANGER, ended));
	frec__pace_spend(&pace, STRANGER, began, ended);
	assert_true(frec__pace_rests(&pace, STRANGER, ended));
	assert_true(frec__pace_rests(&pace, STRANGER + 1, ended));
	assert_false(frec__pace_rests(&pace, 0, ended));
	assert_false(frec__pace_rests(&pace, STRANGER + 1, ended + (ended - began) / 3));
	assert_true(frec__pace_rests(&pace, STRANGER, ended + (ended - began) * 2));
	assert_false(frec__pace_rests(&pace, STRANGER, ended + (ended - began) * 3));
	// Many users share one limit.
	for (uint32_t i = 0; i < 3 * FREC_PACE_USERS_MAX; i++)
		frec__pace_spend(&pace, STRANGER + i, ended, ended + 1000000);
	assert_true(frec__pace_rests(&pace, STRANGER + 1000, ended + 200000000));
	pace.mode = FREC_PACE_ALL;
	assert_false(frec__pace_rests(&pace, STRANGER, ended));
	pace.mode = FREC_PACE_TRUSTED;
	assert_true(frec__pace_rests(&pace, STRANGER, UINT64_MAX / 2));
	assert_false(frec__pace_rests(&pace, 0, ended));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cause_cools_down),
		cmocka_unit_test(an_early_end),
		cmocka_unit_test(loops),
		cmocka_unit_test(causes_are_bounded),
		cmocka_unit_test(requests_are_gathered),
		cmocka_unit_test(requests_are_bounded),
		cmocka_unit_test(strangers_have_shares),
		cmocka_unit_test(users_die_on_their_own),
		cmocka_unit_test(strangers_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
