/* SPDX-License-Identifier: MIT */
/* Call stacks as text and as JSON. */
#ifndef FREC_EXPORT_REPORT_STACK_TEXT_H
#define FREC_EXPORT_REPORT_STACK_TEXT_H

#include "export/timeline/stacks.h"
#include "export/read/text.h"

/* What follows is of the stack that was asked for last, where `stacks` are given too. */

/* A line for each function, those that were inlined too, innermost first; then why it ends, unless
 * it is complete, and why programs have no names. */
void frec__stack_text(struct frec_text *text, const struct frec_stacks *stacks,
		      const struct frec_call_stack *stack);

/* The innermost functions' names alone, in one line: "price < checkout < worker", without those
 * that only emit. */
void frec__stack_line(struct frec_text *text, const struct frec_call_stack *stack);

/* An array with an object for each function, innermost first. */
void frec__stack_json(struct frec_text *text, const struct frec_stacks *stacks,
		      const struct frec_call_stack *stack);

/* The objects of one location, separated by commas. `pc`: where it is in the stack's own process,
 * NULL: not to be told. */
void frec__location_json(struct frec_text *text, const struct frec_location *location,
			 const uint64_t *pc);

/* "complete", "truncated", "no call frame information", ...: the kind of end without its
 * address. */
const char *frec__stack_end_word(enum frec_unwind_reason end);

/* The name of a function at a location: 0 is the innermost of those that were inlined. Where none
 * is known, the program and the address in it. Valid UTF-8, and plain text. */
void frec__function_text(struct frec_text *text, const struct frec_location *location, size_t name);

#endif
