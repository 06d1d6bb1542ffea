// SPDX-License-Identifier: MIT
// Draws lines from readings of the processor's counter and the clock: see shm_line.h.
#include "recorder/service/shm_line.h"

#include <stdbool.h>

// Rates that differ by more than this part are not those of one clock: the kernel changes the rate
// of CLOCK_MONOTONIC by at most 500 ppm, from -500 to 500.
#define SAME_RATE 10 // 2^-10, 977 ppm

static bool is_same_rate(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) < b >> SAME_RATE;
}

// Measures the rate since the last reading. Returns whether that agrees with the measurement before
// it. If the last reading is too long ago, forgets the rate: the machine may have been suspended,
// or the process may have been moved to another machine.
static bool measure(struct frec__shm_drawing *drawing, uint64_t ticks, uint64_t passed)
{
	uint64_t rate = 0;
	bool agrees;

	if (passed <= FREC__SHM_LINE_PASSED_MAX)
		rate = (passed << 32) / ticks;
	agrees = is_same_rate(rate, drawing->rate);
	drawing->rate = rate;
	return agrees;
}

// Makes a line begin where the last one ended, if that is only a little ahead of the clock. The
// line then is so much slower that it meets the clock at its end.
static void avoid_step_back(struct frec__shm_line *line, const struct frec__shm_line *last)
{
	uint64_t reached, ahead;

	if (line->counter - last->counter > 2 * last->ticks)
		return;
	reached = frec__shm_line_time(last, line->counter);
	ahead = reached - line->time;
	if (reached <= line->time || ahead > FREC__SHM_LINE_AHEAD_MAX)
		return;
	line->time = reached;
	line->rate -= (ahead << 32) / line->ticks;
}

struct frec__shm_line frec__shm_line_next(struct frec__shm_drawing *drawing,
					  const struct frec__shm_line *last, uint64_t counter,
					  uint64_t time)
{
	struct frec__shm_line line = {.counter = counter, .time = time};
	uint64_t ticks = counter - drawing->counter;

	if (ticks < FREC__SHM_LINE_TICKS_MIN)
		return line; // the rate cannot be measured over such a short time
	if (measure(drawing, ticks, time - drawing->time)) {
		line.rate = drawing->rate;
		line.ticks = ticks < FREC__SHM_LINE_TICKS ? ticks : FREC__SHM_LINE_TICKS;
		avoid_step_back(&line, last);
	}
	drawing->counter = counter;
	drawing->time = time;
	return line;
}
