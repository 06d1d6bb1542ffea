/* SPDX-License-Identifier: MIT */
/* The interface between the two halves of the stress test, which record and check. */
#ifndef FREC_TESTS_VM_STRESS_H
#define FREC_TESTS_VM_STRESS_H

#include <stdbool.h>
#include <stdint.h>

#define THREADS 2

struct stress_check;

/* `emitter` is the pid of the process whose events are checked. */
struct stress_check *stress_check_create(uint32_t emitter);
/*
 * Checks a snapshot by itself and against the one before: that the numbers of each thread have no
 * gaps within the coverage, that each record which should be in both files is in both, and
 * everything that `flightrec verify` checks. Returns true, or prints what is wrong and returns
 * false.
 */
bool stress_check_file(struct stress_check *check, const char *path);
/* Returns totals so far: events in all files, events that were compared between two files, and
 * rings that had wrapped. */
void stress_check_summary(const struct stress_check *check, uint64_t *ret_events,
			  uint64_t *ret_shared, uint64_t *ret_wrapped);
void stress_check_destroy(struct stress_check *check);

#endif
