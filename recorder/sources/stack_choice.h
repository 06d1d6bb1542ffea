/* SPDX-License-Identifier: MIT */
/*
 * Which stacks the records of a source contain. Each selection can make this choice; a default
 * applies to those that do not. The settings of the perf event and the size of its records depend
 * on the choice.
 *
 *	fp	the process's callchain, which the kernel finds with the help of frame pointers; for
 *		events in shared memory, which the service finds
 *	self	the same for events in shared memory only, which the service finds with libunwind
 *	kernel	the kernel's callchain; empty if no kernel code led to the record, as at a USDT site
 *	dwarf	the process's registers and part of its stack, to be unwound later
 *	none	no stacks
 */
#ifndef FREC_RECORDER_SOURCES_STACK_CHOICE_H
#define FREC_RECORDER_SOURCES_STACK_CHOICE_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

#define FREC_STACK_BYTES_DEFAULT 8192u
/* perf's maximum: the last multiple of 8 below 64 KiB. */
#define FREC_STACK_BYTES_MAX 65528u

/* A ring must have room for at least this many stacks of the largest size. */
#define FREC_STACKS_IN_RING 8

struct frec_stack_choice {
	bool is_set; /* stack=... was given, so the default does not apply */
	bool frame_pointers, self, kernel;
	uint32_t bytes; /* size of the recorded user stack; 0: neither stack nor registers */
};

/* Parses a number of bytes of stack and rounds it up to a multiple of 8, as perf requires. Returns
 * 0, or -EINVAL if `text` is not a number from 1 to the maximum. */
int frec__stack_parse_bytes(const char *text, uint32_t *ret);

/*
 * Parses the options between the slashes of a selection, as in "stack=dwarf+kernel,bytes=4096", and
 * modifies the text. `selection` is the complete argument of -e, for messages. Returns 0, or
 * -EINVAL with a message.
 */
int frec__stack_parse(struct frec_stack_choice *ret, char *options, const char *selection,
		      struct frec_error *reterr);

/* Returns whether any stack is chosen. */
bool frec__stack_any(const struct frec_stack_choice *choice);

/* Return whether a stack is chosen that services can take themselves, that only they can take, and
 * that only the kernel can take. */
bool frec__stack_by_service(const struct frec_stack_choice *choice);
bool frec__stack_by_service_only(const struct frec_stack_choice *choice);
bool frec__stack_by_kernel_only(const struct frec_stack_choice *choice);

/* Returns the bits of perf_event_attr.sample_type that the choice requires. */
uint64_t frec__stack_sample_type(const struct frec_stack_choice *choice);

/* Sets the other members of `attr` that the choice requires. */
void frec__stack_attr(const struct frec_stack_choice *choice, struct perf_event_attr *attr);

/* Returns the maximum number of bytes that the stacks add to a record. */
size_t frec__stack_size(const struct frec_stack_choice *choice);

/* Checks that a ring is large enough for the stacks. The error message begins with `whose`. Returns
 * 0, or -EINVAL with a message. */
int frec__stack_check_ring(const struct frec_stack_choice *choice, uint64_t ring_size,
			   const char *whose, struct frec_error *reterr);

#endif
