/* SPDX-License-Identifier: MIT */
/*
 * Which stacks the records of a source carry: chosen for each selection, or for all that say
 * nothing. All that perf needs to be told, and all that is known of what it costs, follows from
 * this one choice.
 *
 *	fp	the process's callchain, as the kernel finds it by frame pointers
 *	kernel	the kernel's callchain: none where no code of the kernel led to the record, as at a
 *		USDT site
 *	dwarf	the process's registers and a piece of its stack, to be unwound later
 *	none
 */
#ifndef FREC_RECORDER_SOURCES_STACK_CHOICE_H
#define FREC_RECORDER_SOURCES_STACK_CHOICE_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

#define FREC_STACK_BYTES_DEFAULT 8192u
/* What perf takes: a multiple of 8 below what is left of 64 KiB. */
#define FREC_STACK_BYTES_MAX 65528u

/* A ring holds this many of the largest stacks, or it is too small. */
#define FREC_STACKS_IN_RING 8

struct frec_stack_choice {
	bool is_set; /* somebody chose for this, be it none: a choice for all does not replace it */
	bool frame_pointers, kernel;
	uint32_t bytes; /* of the process's stack, with its registers; 0: neither */
};

/* Bytes of stack, rounded up to what perf takes. Returns 0, or -EINVAL for what is no number from 1
 * to the maximum. */
int frec__stack_parse_bytes(const char *text, uint32_t *ret);

/*
 * Takes what stands between the slashes behind a selection, "stack=dwarf+kernel,bytes=4096", and
 * cuts it into pieces. Returns 0, or -EINVAL with words. `selection` is the whole of what was
 * given.
 */
int frec__stack_parse(struct frec_stack_choice *ret, char *options, const char *selection,
		      struct frec_error *reterr);

/* Whether it is anything but none. */
bool frec__stack_any(const struct frec_stack_choice *choice);

/* The bits that it adds to perf_event_attr.sample_type. */
uint64_t frec__stack_sample_type(const struct frec_stack_choice *choice);

/* The rest of what perf is told; sample_type is set before. */
void frec__stack_attr(const struct frec_stack_choice *choice, struct perf_event_attr *attr);

/* Bytes that it adds to a record, at most. */
size_t frec__stack_size(const struct frec_stack_choice *choice);

/* Refuses a ring that would hold next to nothing. `whose` begins the sentence. Returns 0 or -EINVAL
 * with words. */
int frec__stack_check_ring(const struct frec_stack_choice *choice, uint64_t ring_size,
			   const char *whose, struct frec_error *reterr);

#endif
