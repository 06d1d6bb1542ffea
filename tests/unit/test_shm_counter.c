// SPDX-License-Identifier: MIT
// Proves how far the line by which services compute the time from the processor's counter is from
// the clock, that the line never jumps back, and when there is no line.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/clocks.h"
#include "recorder/rings/shm_rings_internal.h"
#include "recorder/service/shm_counter.h"

#define INTERVAL 20000000 // nanoseconds between two readings
#define START UINT64_C(5000000000000)

// A machine whose clock the kernel slows down and speeds up.
struct machine {
	double ticks, time; // since it started
	double frequency;   // ticks a nanosecond
	double rate;	    // nanoseconds of the clock in a true nanosecond
};

static void pass(struct machine *machine, double nanoseconds)
{
	machine->ticks += nanoseconds * machine->frequency;
	machine->time += nanoseconds * machine->rate;
}

static uint64_t ticks_of(const struct machine *machine)
{
	return (uint64_t)machine->ticks;
}

static uint64_t time_of(const struct machine *machine)
{
	return START + (uint64_t)machine->time;
}

// Returns the time that the line gives for `ticks`.
static uint64_t by_line(const struct frec_shm_counter *counter, uint64_t ticks)
{
	return counter->line.time +
	       ((ticks - counter->line.counter) * counter->line.slope >> FREC_SHM_SLOPE_BITS);
}

// Takes a reading whose two halves are up to 30 ns apart.
static void read_machine(struct frec_shm_counter *counter, struct machine *machine)
{
	uint64_t time = time_of(machine);

	pass(machine, rand() % 30);
	frec__shm_counter_read(counter, ticks_of(machine), time);
}

static void follows(void **state)
{
	static const double frequencies[] = {1.0, 2.9, 5.7};

	(void)state;
	srand(4711);
	for (size_t f = 0; f < 3; f++) {
		struct machine machine = {.frequency = frequencies[f], .rate = 1};
		struct frec_shm_counter counter = {0};
		uint64_t last = 0;

		read_machine(&counter, &machine);
		assert_int_equal(counter.line.reach, 0);
		for (int i = 0; i < 2000; i++) {
			pass(&machine, INTERVAL);
			if (counter.line.reach)
				last = by_line(&counter, ticks_of(&machine));
			read_machine(&counter, &machine);
			assert_int_not_equal(counter.line.reach, 0);
			// Each time, the kernel makes its clock up to a millionth faster or slower.
			machine.rate = 1 + (rand() % 21 - 10) * 1e-7;
			for (int k = 0; k < 5; k++) {
				uint64_t line = by_line(&counter, ticks_of(&machine));

				if (line < last)
					fail_msg("runs back by %ld", (long)(last - line));
				if (line > time_of(&machine) || line + 400 < time_of(&machine))
					fail_msg("%d: is off by %ld", i,
						 (long)(line - time_of(&machine)));
				last = line;
				pass(&machine, 1000000);
			}
		}
	}
}

// To reach another time soon, the kernel may also correct its clock by half a thousandth.
static void follows_slewing(void **state)
{
	struct machine machine = {.frequency = 2.1, .rate = 1};
	struct frec_shm_counter counter = {0};
	uint64_t last = 0;

	(void)state;
	read_machine(&counter, &machine);
	for (int i = 0; i < 1000; i++) {
		uint64_t line;

		pass(&machine, INTERVAL);
		read_machine(&counter, &machine);
		assert_int_not_equal(counter.line.reach, 0);
		line = by_line(&counter, ticks_of(&machine));
		assert_true(line >= last);
		assert_in_range(line + 100000, time_of(&machine) - 30000 + 100000,
				time_of(&machine) + 30000 + 100000);
		last = line;
		machine.rate = 1 + (i / 100 % 3 - 1) * 0.0005;
	}
}

static void gives_up(void **state)
{
	struct machine machine = {.frequency = 2, .rate = 1};
	struct frec_shm_counter counter = {0};

	(void)state;
	read_machine(&counter, &machine);
	pass(&machine, INTERVAL);
	read_machine(&counter, &machine);
	assert_int_not_equal(counter.line.reach, 0);
	// The virtual machine was moved to another host, whose counter has another value.
	pass(&machine, INTERVAL);
	machine.ticks += 1e6;
	read_machine(&counter, &machine);
	assert_int_equal(counter.line.reach, 0);
	// After another reading there is a line again.
	pass(&machine, INTERVAL);
	read_machine(&counter, &machine);
	assert_int_not_equal(counter.line.reach, 0);
	assert_true(by_line(&counter, ticks_of(&machine)) <= time_of(&machine));
	// The counter went back to 0, as after a suspend.
	pass(&machine, INTERVAL);
	machine.ticks = 1000;
	read_machine(&counter, &machine);
	assert_int_equal(counter.line.reach, 0);
	pass(&machine, INTERVAL);
	read_machine(&counter, &machine);
	assert_int_not_equal(counter.line.reach, 0);
	// The recorder was stopped for longer than the line reaches.
	pass(&machine, 2.0 * FREC_SHM_REACH);
	read_machine(&counter, &machine);
	assert_int_equal(counter.line.reach, 0);
	// There is no line for counters that are too slow or too fast.
	for (int i = 0; i < 2; i++) {
		machine.frequency = i ? 0.1 : 30;
		counter = (struct frec_shm_counter){0};
		for (int k = 0; k < 3; k++) {
			pass(&machine, INTERVAL);
			read_machine(&counter, &machine);
			assert_int_equal(counter.line.reach, 0);
		}
	}
}

#ifdef __x86_64__
static void computes(void **state)
{
	struct frec_shm_header header = {0};
	struct frec_shm_clock *clock = &header.clock;

	(void)state;
	assert_int_equal(frec__shm_counted(&header), 0); // no line
	clock->counter = __builtin_ia32_rdtsc();
	clock->time = 1000;
	clock->slope = UINT64_C(1) << (FREC_SHM_SLOPE_BITS - 1); // half a nanosecond per tick
	clock->reach = UINT64_MAX;
	clock->version = 2;
	assert_true(frec__shm_counted(&header) > 1000);
	clock->version = 3; // being changed
	assert_int_equal(frec__shm_counted(&header), 0);
	clock->version = 4;
	clock->reach = 1; // over
	assert_int_equal(frec__shm_counted(&header), 0);
	clock->reach = UINT64_C(1) << 40;
	clock->counter = UINT64_MAX / 2; // in the future
	assert_int_equal(frec__shm_counted(&header), 0);
}

// The time by a recorder's line agrees with the kernel's clock.
static void agrees(void **state)
{
	static const char *const selection[] = {"*:*", NULL};
	struct frec_shm_rings *rings;
	struct frec_error error;
	uint64_t before, counted, after;

	(void)state;
	assert_int_equal(frec__shm_create(&rings, FREC_SHM_RING_SIZE_MIN, selection, 0, &error), 0);
	assert_int_equal(frec__shm_counted(rings->map), 0);
	// If the processor is busy, a reading may come too late and give no line, so try several
	// times.
	for (int tries = 0; rings->counter.usable; tries++) {
		frec__shm_refresh(rings);
		before = frec__monotonic();
		counted = frec__shm_counted(rings->map);
		after = frec__monotonic();
		if (counted && after - before < 1000000)
			break;
		assert_in_range(tries, 0, 1000);
		usleep(12000);
	}
	if (rings->counter.usable)
		assert_in_range(counted, before - FREC_SHM_OFF_MAX, after);
	// The line ends if the recorder does not refresh it.
	usleep(FREC_SHM_REACH / 1000 + 20000);
	assert_int_equal(frec__shm_counted(rings->map), 0);
	frec__shm_destroy(rings);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows),  cmocka_unit_test(follows_slewing),
		cmocka_unit_test(gives_up),
#ifdef __x86_64__
		cmocka_unit_test(computes), cmocka_unit_test(agrees),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
