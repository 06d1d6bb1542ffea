// SPDX-License-Identifier: MIT
// Reads the clock in whatever way is allowed, and keeps the line that times are computed from: see
// shm_clock.h and shm_line.h.
#include "recorder/service/shm_clock.h"

#include <errno.h>
#include <sys/prctl.h>
#include <time.h>

#include "flightrec/event.h"
#include "recorder/service/clock_ahead.h"
#include "recorder/service/shm_emit.h"
#include "recorder/service/shm_sequence.h"

// If the newest record is further ahead of the coarse clock than this, its time is wrong and is
// ignored: the kernel's timer is never that late, but other services can write to the ring.
#define AHEAD_MAX UINT64_C(1000000000) // nanoseconds

#define SECOND UINT64_C(1000000000)

// Lines that are kept. A hypervisor can stop a processor while a thread computes a time. If it does
// so for as long as these lines last, that thread finds another line in place of its own.
#define LINES 32

// If a reading of the clock takes more ticks than this, the thread was interrupted, or the caches
// were cold, and the clock is read again. If all readings have been slow so many times in a row,
// the machine reads its counter slowly, and no lines are drawn any more.
#define READING_MAX 512
#define READINGS 3
#define FAILURES_MAX 16

// Neither is used. While `coarse` is in place of the line, times are coarse, and no other line ever
// takes its place.
static const struct frec__shm_line none, coarse;
const struct frec__shm_line *frec__shm_line = &none;

bool frec__shm_clock_is_coarse(void)
{
	return __atomic_load_n(&frec__shm_line, __ATOMIC_RELAXED) == &coarse;
}

static void become_coarse(void)
{
	// With FREC_SHM_COARSE each emit calls this. Storing again would take the cache line, which
	// all threads read, away from them.
	if (!frec__shm_clock_is_coarse())
		__atomic_store_n(&frec__shm_line, &coarse, __ATOMIC_SEQ_CST);
}

// A program that calls this may be about to lock itself in.
void frec_clock_coarse(void)
{
	become_coarse();
	frec_stacks_off();
}

void frec__shm_clock_check(void)
{
#ifdef __x86_64__
	int mode, saved_errno = errno;

	if (!prctl(PR_GET_TSC, &mode) && mode == PR_TSC_SIGSEGV)
		become_coarse();
	errno = saved_errno;
#endif
}

#ifdef __x86_64__
// What the lines are drawn from, and which of them is next. The thread that has set `busy` owns the
// rest.
static struct {
	bool busy;
	uint32_t next, failures;
	struct frec__shm_drawing drawing;
	struct frec__shm_line line[LINES];
} lines;
#endif

// The clock of a forked child can be another one, and the thread that drew a line in its parent may
// be missing.
static void forget_lines(void)
{
	if (!frec__shm_clock_is_coarse())
		__atomic_store_n(&frec__shm_line, &none, __ATOMIC_RELAXED);
#ifdef __x86_64__
	lines.drawing = (struct frec__shm_drawing){0};
	lines.failures = 0;
	__atomic_store_n(&lines.busy, false, __ATOMIC_RELEASE);
#endif
}

void frec__shm_clock_forked(void)
{
	struct frec__shm *shm = __atomic_load_n(&frec__shm, __ATOMIC_RELAXED);

	if (shm)
		__atomic_store_n(
			&shm->ahead,
			frec__clock_measure(__atomic_load_n(&shm->header->epoch, __ATOMIC_RELAXED),
					    __atomic_load_n(&shm->ahead, __ATOMIC_RELAXED)),
			__ATOMIC_RELAXED);
	forget_lines();
}

static uint64_t newest_time(const struct frec__shm *shm, uint32_t cpu)
{
	uint64_t position =
		__atomic_load_n(&frec__shm_control_of(shm, cpu)->position, __ATOMIC_RELAXED);
	const struct frec_shm_record *record =
		(const void *)(frec__shm_ring_of(shm, cpu) + frec__shm_place(shm, position));

	return record->time;
}

static uint64_t read_clock(const struct frec__shm *shm, clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec -
	       (uint64_t)__atomic_load_n(&shm->ahead, __ATOMIC_RELAXED);
}

static uint64_t coarse_time(const struct frec__shm *shm, uint32_t cpu)
{
	uint64_t time = read_clock(shm, CLOCK_MONOTONIC_COARSE), newest;
	uint32_t before;

	if (cpu >= shm->cpus)
		return time;
	before = frec__shm_open(shm);
	newest = newest_time(shm, cpu);
	frec__shm_close(shm, before);
	return newest > time && newest - time < AHEAD_MAX ? newest : time;
}

#ifdef __x86_64__
// Reads the counter, after all instructions before this one.
static uint64_t read_counter(void)
{
	__builtin_ia32_lfence();
	return __builtin_ia32_rdtsc();
}

static void publish(const struct frec__shm_line *last, const struct frec__shm_line *line)
{
	struct frec__shm_line *to = &lines.line[lines.next++ % LINES];

	__atomic_store_n(&to->counter, line->counter, __ATOMIC_RELAXED);
	__atomic_store_n(&to->time, line->time, __ATOMIC_RELAXED);
	__atomic_store_n(&to->rate, line->rate, __ATOMIC_RELAXED);
	__atomic_store_n(&to->ticks, line->ticks, __ATOMIC_RELAXED);
	// If another thread has called frec_clock_coarse() or drawn a line, `last` is not the line
	// any more.
	(void)__atomic_compare_exchange_n(&frec__shm_line, &last, to, false, __ATOMIC_SEQ_CST,
					  __ATOMIC_RELAXED);
}

// Reads the clock, and draws the line that follows `last` if no other thread does. Returns the
// time.
static uint64_t draw(const struct frec__shm *shm, const struct frec__shm_line *last)
{
	struct frec__shm_line line;
	uint64_t before = 0, time = 0, took = UINT64_MAX;

	// An exchange would take the cache line away from the thread that draws.
	if (__atomic_load_n(&lines.busy, __ATOMIC_RELAXED) ||
	    __atomic_exchange_n(&lines.busy, true, __ATOMIC_ACQUIRE))
		return read_clock(shm, CLOCK_MONOTONIC);
	for (int i = 0; i < READINGS && took > READING_MAX; i++) {
		before = read_counter();
		time = read_clock(shm, CLOCK_MONOTONIC);
		took = read_counter() - before;
	}
	if (took <= READING_MAX) {
		lines.failures = 0;
		line = frec__shm_line_next(&lines.drawing, last, before + took / 2, time);
		if (line.ticks) {
			publish(last, &line);
			time = line.time;
		}
	} else {
		lines.failures++;
	}
	// A thread that has failed that often never clears `busy`.
	__atomic_store_n(&lines.busy, lines.failures == FAILURES_MAX, __ATOMIC_RELEASE);
	return time;
}
#endif

uint64_t frec__shm_read_clock(const struct frec__shm *shm, uint32_t cpu)
{
	if (__builtin_expect(
		    __atomic_load_n(&shm->header->options, __ATOMIC_RELAXED) & FREC_SHM_COARSE, 0))
		become_coarse();
	if (__builtin_expect(frec__shm_clock_is_coarse(), 0))
		return coarse_time(shm, cpu);
	return read_clock(shm, CLOCK_MONOTONIC);
}

uint64_t frec__shm_draw_line(const struct frec__shm *shm, uint32_t cpu)
{
#ifdef __x86_64__
	uint32_t options = __atomic_load_n(&shm->header->options, __ATOMIC_RELAXED);
	// publish() compares with what was checked here, so a call of frec_clock_coarse() at any
	// later moment wins.
	const struct frec__shm_line *last = __atomic_load_n(&frec__shm_line, __ATOMIC_ACQUIRE);

	if ((options & (FREC_SHM_COUNTER | FREC_SHM_COARSE)) == FREC_SHM_COUNTER && last != &coarse)
		return draw(shm, last);
#endif
	return frec__shm_read_clock(shm, cpu);
}
