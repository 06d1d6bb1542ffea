/* SPDX-License-Identifier: MIT */
/* The loop that all emit benchmarks share, so that their figures can be compared. */
#ifndef FREC_TESTS_BENCH_LOOP_H
#define FREC_TESTS_BENCH_LOOP_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BENCH_PATH "/orders/list/12345" /* 18 bytes */

struct bench_thread {
	pthread_t thread;
	pthread_barrier_t *start;
	void (*emit)(uint64_t i);
	uint64_t times;
	double result; /* nanoseconds of processor time */
};

static void *bench_run(void *argument)
{
	struct bench_thread *thread = argument;
	struct timespec from, to;

	for (uint64_t i = 0; i < thread->times / 10; i++) /* warms up caches and page tables */
		thread->emit(i);
	pthread_barrier_wait(thread->start);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	for (uint64_t i = 0; i < thread->times; i++)
		thread->emit(i);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	thread->result =
		(double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
	return NULL;
}

/* Emits in `threads` threads and prints the cost of an emit in nanoseconds of the emitting thread's
 * processor time, to which other load on the machine does not add. Returns 0 or 1. */
static int bench(void (*emit)(uint64_t i), unsigned int threads, uint64_t times)
{
	struct bench_thread *thread = calloc(threads, sizeof(*thread));
	pthread_barrier_t start;
	double sum = 0;

	if (!thread || pthread_barrier_init(&start, NULL, threads))
		return 1;
	for (unsigned int i = 0; i < threads; i++) {
		thread[i] = (struct bench_thread){.start = &start, .emit = emit, .times = times};
		if (pthread_create(&thread[i].thread, NULL, bench_run, &thread[i]))
			return 1;
	}
	for (unsigned int i = 0; i < threads; i++) {
		pthread_join(thread[i].thread, NULL);
		sum += thread[i].result;
	}
	printf("%.2f\n", sum / threads / (double)times);
	free(thread);
	return 0;
}

#endif
