/* SPDX-License-Identifier: MIT */
/* Call stacks as text and as JSON. */
#ifndef FREC_EXPORT_REPORT_STACK_TEXT_H
#define FREC_EXPORT_REPORT_STACK_TEXT_H

#include "export/read/text.h"
#include "export/timeline/stacks.h"

/* If a function takes `stacks`, `stack` must be the stack that `stacks` was asked for last. */

/* Adds a line for each function, inlined ones too, innermost first. Below these lines, adds why the
 * stack ends, unless it is complete, and why functions of some programs have no names. */
void frec__stack_text(struct frec_text *text, const struct frec_stacks *stacks,
		      const struct frec_call_stack *stack);

/* Adds the names of the innermost functions in one line, "price < checkout < worker", without the
 * functions that emitted the event. */
void frec__stack_line(struct frec_text *text, const struct frec_call_stack *stack);

/* Adds a JSON array with an object for each function, innermost first. */
void frec__stack_json(struct frec_text *text, const struct frec_stacks *stacks,
		      const struct frec_call_stack *stack);

/* Adds a JSON object for each function at one location, separated by commas and without brackets
 * around them. `pc` is the location's address in the process that was recorded; if it is NULL, the
 * objects have no "pc". */
void frec__location_json(struct frec_text *text, const struct frec_location *location,
			 const uint64_t *pc);

/* Returns in a few words why a stack ends, without the address at which it ends: "complete",
 * "truncated", "no call frame information", ... */
const char *frec__stack_end_word(enum frec_unwind_reason end);

/* Adds the name of a function at a location. `name` is its index in location->names: 0 is the
 * innermost inlined function. If no name is known, adds the program and the address in it; if no
 * program is known either, adds the address in the process. The text is valid UTF-8 and safe on a
 * terminal. */
void frec__function_text(struct frec_text *text, const struct frec_location *location, size_t name);

#endif
