// SPDX-License-Identifier: MIT
// Checks the times that services compute from the processor's counter: with clocks and counters
// that the test makes up, and on this machine.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <time.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "proto/clocks.h"
#include "recorder/service/registration.h"
#include "recorder/service/shm_clock.h"
#include "tests/data/shm_kit.h"

#define RATE (UINT64_C(1) << 31) // half a nanosecond a tick
#define MIN FREC__SHM_LINE_TICKS_MIN

struct clock {
	struct frec__shm_drawing drawing;
	struct frec__shm_line line;
	uint64_t counter, time;
};

// Lets `ticks` pass, and draws a line from a reading of the clock that is wrong by `error` ns.
static bool draw(struct clock *clock, uint64_t ticks, int64_t error)
{
	struct frec__shm_line line;

	clock->counter += ticks;
	clock->time += ticks / 2;
	line = frec__shm_line_next(&clock->drawing, &clock->line, clock->counter,
				   clock->time + (uint64_t)error);
	if (line.ticks)
		clock->line = line;
	return line.ticks != 0;
}

static struct clock drawn(void)
{
	struct clock clock = {.counter = UINT64_C(1) << 40, .time = UINT64_C(1) << 39};

	assert_false(draw(&clock, 0, 0));
	assert_false(draw(&clock, MIN, 0));
	assert_true(draw(&clock, MIN, 0));
	return clock;
}

static void a_line_is_drawn_from_two_equal_rates(void **state)
{
	struct clock clock = drawn();

	(void)state;
	assert_int_equal(clock.line.rate, RATE);
	assert_int_equal(clock.line.ticks, MIN);
	assert_int_equal(frec__shm_line_time(&clock.line, clock.counter + 1000), clock.time + 500);
	// Lines last as long as their rate was measured, up to a limit.
	assert_true(draw(&clock, 4 * MIN, 0));
	assert_int_equal(clock.line.ticks, 4 * MIN);
	assert_true(draw(&clock, 2 * FREC__SHM_LINE_TICKS, 0));
	assert_int_equal(clock.line.ticks, FREC__SHM_LINE_TICKS);
	assert_false(draw(&clock, MIN - 1, 0));
}

static void what_is_too_long_ago_is_forgotten(void **state)
{
	struct clock clock = drawn();

	(void)state;
	assert_false(draw(&clock, 2 * (UINT64_C(1) + FREC__SHM_LINE_PASSED_MAX), 0));
	assert_false(draw(&clock, MIN, 0));
	assert_true(draw(&clock, MIN, 0));
	// The machine was suspended: the counter went on, and the clock did not.
	clock.time -= FREC__SHM_LINE_TICKS / 4;
	assert_false(draw(&clock, FREC__SHM_LINE_TICKS, 0));
	assert_false(draw(&clock, MIN, 0));
	assert_true(draw(&clock, MIN, 0));
	// The process was restored on a machine whose counter is lower.
	clock.counter -= UINT64_C(1) << 39;
	assert_false(draw(&clock, 0, 0));
	assert_false(draw(&clock, MIN, 0));
	assert_true(draw(&clock, MIN, 0));
	assert_int_equal(clock.line.rate, RATE);
}

// However wrong single readings are, times never step back, and their error does not grow.
static void times_do_not_step_back(void **state)
{
	struct clock clock = drawn();
	uint64_t newest = 0;

	(void)state;
	srand(1);
	for (int i = 0; i < 10000; i++) {
		uint64_t ticks = clock.line.ticks;
		int64_t error = rand() % 101 - 50, ahead;

		// For a while, the kernel makes its clock slower and slower.
		clock.time -= i < 300 ? 20 * (uint64_t)i : 6000;
		assert_true(draw(&clock, ticks, error));
		assert_true(frec__shm_line_time(&clock.line, clock.counter) >= newest);
		newest = frec__shm_line_time(&clock.line, clock.counter + clock.line.ticks);
		ahead = (int64_t)(newest - clock.time - clock.line.ticks / 2);
		ahead += i < 300 ? 20 * i : 6000;
		assert_in_range(ahead + 500, 0, 1000);
	}
}

// If the clock was set back against the counter by more than a little, the line follows at once.
static void a_line_far_ahead_is_left(void **state)
{
	struct clock clock = drawn();

	(void)state;
	draw(&clock, FREC__SHM_LINE_TICKS, 0);
	clock.time -= FREC__SHM_LINE_AHEAD_MAX + 100;
	assert_true(draw(&clock, FREC__SHM_LINE_TICKS, 0));
	assert_int_equal(clock.line.time, clock.time);
}

// The time of an event lies between readings of the clock before and after it.
static void times_are_true(void **state)
{
	enum { EVENTS = 400000, ALLOWED = 10000 /* nanoseconds */ };
	uint64_t(*around)[2] = calloc(EVENTS, sizeof(*around));
	struct frec_shm_rings *rings = kit_create(64u << 20, 0);
	struct kit_reading reading;
	size_t computed = 0, early = 0, late = 0;

	(void)state;
	frec__shm_set_clock(rings, FREC_CLOCK_COUNTER);
	assert_int_equal(frec__shm_attach(frec__shm_fd(rings)), 0);
	for (uint64_t i = 0; i < EVENTS; i++) {
		around[i][0] = frec__monotonic();
		frec_kit_tick(0, i, "");
		around[i][1] = frec__monotonic();
		computed += frec__shm_line->ticks != 0;
	}
	reading = kit_read(rings);
	assert_int_equal(reading.count, EVENTS);
	for (size_t i = 0; i < reading.count; i++) {
		const struct kit_record *record = &reading.record[i];

		early += record->time + ALLOWED < around[record->number][0];
		late += record->time > around[record->number][1] + ALLOWED;
	}
	assert_int_equal(early, 0);
	assert_int_equal(late, 0);
	printf("%zu of %d events were emitted while there was a line\n", computed, EVENTS);
	free(around);
	free(reading.record);
	frec__shm_destroy(rings);
}

// A child has no line, until it has drawn one itself.
static void a_child_draws_its_own(void **state)
{
	struct frec_shm_rings *rings = kit_create(1u << 20, 0);
	uint64_t ticks = 0;
	int status = -1;
	pid_t child;

	(void)state;
	frec__shm_set_clock(rings, FREC_CLOCK_COUNTER);
	assert_int_equal(frec__shm_attach(frec__shm_fd(rings)), 0);
	for (uint64_t i = 0; i < 20000000 && !ticks; i++) {
		frec_kit_tick(0, i, "");
		ticks = frec__shm_line->ticks;
	}
	child = fork();
	if (!child)
		_exit(frec__shm_line->ticks != 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	frec__shm_destroy(rings);
	if (!ticks)
		skip(); // this machine reads its counter slowly
}

// Stands before clock_gettime(3) of the C library. While a thread draws a line, another thread asks
// for coarse times.
static bool asks;
int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
	if (asks)
		frec_clock_coarse();
	return __real_clock_gettime(clock, ret);
}

// Once a program has asked for coarse times, no thread that draws a line brings exact ones back.
static void coarse_times_stay(void **state)
{
	struct frec_shm_rings *rings = kit_create(1u << 20, 0);
	struct timespec pause = {.tv_nsec = 100000000}; // longer than a line

	(void)state;
	frec__shm_set_clock(rings, FREC_CLOCK_COUNTER);
	assert_int_equal(frec__shm_attach(frec__shm_fd(rings)), 0);
	for (uint64_t i = 0; i < 10; i++) {
		const struct frec__shm_line *line = frec__shm_line;

		nanosleep(&pause, NULL);
		asks = i > 1;
		frec_kit_tick(0, i, "");
		asks = false;
		assert_int_equal(frec__shm_clock_is_coarse(), i > 1);
		if (i > 1)
			frec__shm_line = line;
	}
	frec_clock_coarse();
	frec__shm_destroy(rings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_drawn_from_two_equal_rates),
		cmocka_unit_test(what_is_too_long_ago_is_forgotten),
		cmocka_unit_test(times_do_not_step_back),
		cmocka_unit_test(a_line_far_ahead_is_left),
		cmocka_unit_test(times_are_true),
		cmocka_unit_test(a_child_draws_its_own),
		cmocka_unit_test(coarse_times_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
