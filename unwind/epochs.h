/* SPDX-License-Identifier: MIT */
/*
 * When the mappings of a process took each other's place: between two such moments every address of
 * code in files has one meaning, so what is known of an address holds that long. Most processes
 * have one such span, their whole life.
 */
#ifndef FREC_UNWIND_EPOCHS_H
#define FREC_UNWIND_EPOCHS_H

#include <stddef.h>
#include <stdint.h>

/* A mapping of a file; code that is made at run time replaces itself all the time, and has no
 * names: leave it out. */
struct frec_mapped_span {
	uint64_t start, end; /* addresses */
	uint64_t since;	     /* when it was mapped, in any clock; 0: before anybody looked */
};

/* Start with zeroes. */
struct frec_epochs {
	uint64_t *replaced; /* the moments, in order */
	size_t count;
};

/* `spans` may be in any order, and are sorted. Returns 0 or -ENOMEM. */
int frec__epochs_init(struct frec_epochs *epochs, struct frec_mapped_span *spans, size_t count);
void frec__epochs_deinit(struct frec_epochs *epochs);

/* In which span of time `time` is, from 0. */
size_t frec__epochs_at(const struct frec_epochs *epochs, uint64_t time);

/*
 * What was mapped from then on belongs to a later span than number `epoch`; UINT64_MAX: nothing.
 * What came before it and replaced nothing can be taken in whenever it came: nothing ran there
 * before.
 */
uint64_t frec__epochs_end(const struct frec_epochs *epochs, size_t epoch);

#endif
