/* SPDX-License-Identifier: MIT */
/*
 * Epochs: the spans of time in which no mapping of a process replaced another one. Within an epoch
 * each address in a file's code has one meaning, so what was found out about an address stays
 * valid. Most processes have one epoch, their whole life.
 */
#ifndef FREC_UNWIND_EPOCHS_H
#define FREC_UNWIND_EPOCHS_H

#include <stddef.h>
#include <stdint.h>

/* A mapping of a file. Leave out mappings of code made at run time: they replace each other all the
 * time, and have no names. */
struct frec_mapped_span {
	uint64_t start, end; /* addresses */
	uint64_t since;	     /* when it was mapped, on any one clock; 0: before the recording */
};

/* Initialize it with zeroes. */
struct frec_epochs {
	uint64_t *replaced; /* the times at which a mapping replaced another one, ascending */
	size_t count;
};

/* Sorts `spans`. Returns 0 or -ENOMEM. */
int frec__epochs_init(struct frec_epochs *epochs, struct frec_mapped_span *spans, size_t count);
void frec__epochs_deinit(struct frec_epochs *epochs);

/* The number of the epoch that `time` is in, counted from 0. */
size_t frec__epochs_at(const struct frec_epochs *epochs, uint64_t time);

/*
 * When epoch number `epoch` ends; UINT64_MAX: never. A file mapped at or after that time belongs to
 * a later epoch. One mapped before it can be used for the whole epoch, even for the time before it
 * was mapped: nothing ran at its addresses then.
 */
uint64_t frec__epochs_end(const struct frec_epochs *epochs, size_t epoch);

#endif
