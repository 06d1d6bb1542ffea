// SPDX-License-Identifier: MIT
// Readings of the clock and of the processor's counter, and the line through them.
#include "recorder/rings/shm_counter.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "proto/read_file.h"

#define CLOCK_SOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"
// Limits of the counter's frequency in Hz. A slower counter would make too coarse times, and with a
// faster one the multiplication would overflow.
#define FREQUENCY_MIN 500e6
#define FREQUENCY_MAX 8e9
#define ATTEMPTS 5
// A line may be steeper or flatter than the clock by this fraction, to come closer to the clock.
#define TURN_MAX 0.002

void frec__shm_counter_init(struct frec_shm_counter *ret)
{
	*ret = (struct frec_shm_counter){0};
#ifdef __x86_64__
	FREC_FREE char *source = frec__read_file_at(AT_FDCWD, CLOCK_SOURCE, 64);

	ret->usable = source && !strcmp(source, "tsc\n");
#endif
}

void frec__shm_counter_read(struct frec_shm_counter *counter, uint64_t ticks, uint64_t time)
{
	struct frec_shm_clock *line = &counter->line;
	double passed = (double)(ticks - counter->counter);
	double elapsed = (double)(time - counter->time);
	bool first = !counter->time, reached = line->reach != 0;
	uint64_t led = time - FREC_SHM_BEHIND;
	double slope, off = 0;

	if (reached)
		led = line->time +
		      (uint64_t)((unsigned __int128)(ticks - line->counter) * line->slope >>
				 FREC_SHM_SLOPE_BITS);
	counter->counter = ticks;
	counter->time = time;
	*line = (struct frec_shm_clock){.counter = ticks};
	if (first || !(passed > 0) || elapsed < (double)FREC_SHM_READING_INTERVAL ||
	    elapsed > (double)FREC_SHM_REACH || passed / elapsed < FREQUENCY_MIN / 1e9 ||
	    passed / elapsed > FREQUENCY_MAX / 1e9)
		return;
	off = (double)(int64_t)(time - FREC_SHM_BEHIND - led);
	if (off > FREC_SHM_OFF_MAX || off < -FREC_SHM_OFF_MAX)
		return;
	slope = off / elapsed; // to meet the clock `elapsed` nanoseconds from now
	slope = slope > TURN_MAX ? TURN_MAX : slope < -TURN_MAX ? -TURN_MAX : slope;
	slope = (1 + slope) * elapsed / passed;
	line->time = led;
	line->slope = (uint64_t)(slope * (double)(UINT64_C(1) << FREC_SHM_SLOPE_BITS));
	line->reach = (uint64_t)((double)FREC_SHM_REACH * passed / elapsed);
}

#ifdef __x86_64__
// Takes a reading: the clock, and right after it the counter. Of several attempts, uses the
// shortest one, because no interrupt can have come between its two readings.
static void take(uint64_t *ret_ticks, uint64_t *ret_time)
{
	uint64_t closest = UINT64_MAX;

	for (int i = 0; i < ATTEMPTS; i++) {
		uint64_t before = __builtin_ia32_rdtsc(), time = frec__monotonic();
		uint64_t after = __builtin_ia32_rdtsc();

		if (after - before < closest) {
			closest = after - before;
			*ret_ticks = after;
			*ret_time = time;
		}
	}
}

// Services read the line at any moment; an odd version says that the line is being changed.
static void publish(const struct frec_shm_clock *line, struct frec_shm_clock *ret)
{
	uint64_t version = ret->version + 1;

	__atomic_store_n(&ret->version, version, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	__atomic_store_n(&ret->counter, line->counter, __ATOMIC_RELAXED);
	__atomic_store_n(&ret->time, line->time, __ATOMIC_RELAXED);
	__atomic_store_n(&ret->slope, line->slope, __ATOMIC_RELAXED);
	__atomic_store_n(&ret->reach, line->reach, __ATOMIC_RELAXED);
	__atomic_store_n(&ret->version, version + 1, __ATOMIC_RELEASE);
}
#endif

void frec__shm_counter_refresh(struct frec_shm_counter *counter, struct frec_shm_clock *ret)
{
#ifdef __x86_64__
	uint64_t ticks = 0, time = 0;

	if (!counter->usable || frec__monotonic() - counter->time < FREC_SHM_READING_INTERVAL)
		return;
	take(&ticks, &time);
	frec__shm_counter_read(counter, ticks, time);
	publish(&counter->line, ret);
#else
	(void)counter;
	(void)ret;
#endif
}
