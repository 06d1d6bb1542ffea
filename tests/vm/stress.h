/* SPDX-License-Identifier: MIT */
/* What the stress test's two halves, the recording and the checking one, say to each other. */
#ifndef FREC_TESTS_VM_STRESS_H
#define FREC_TESTS_VM_STRESS_H

#include <stdbool.h>
#include <stdint.h>

#define THREADS 2

struct stress_check;

/* `emitter` is the process whose events count. */
struct stress_check *stress_check_create(uint32_t emitter);
/*
 * Reads a snapshot and holds it against itself and the one before: gaps in the numbers of each
 * thread within the coverage, records that both files should have, and everything that `flightrec
 * verify` checks. Prints what is wrong; false if so.
 */
bool stress_check_file(struct stress_check *check, const char *path);
/* What was seen so far: events over all files, and those that were compared between two files. */
void stress_check_summary(const struct stress_check *check, uint64_t *ret_events,
			  uint64_t *ret_shared, uint64_t *ret_wrapped);
void stress_check_destroy(struct stress_check *check);

#endif
