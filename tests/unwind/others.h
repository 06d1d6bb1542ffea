/* SPDX-License-Identifier: MIT */
/* Unwinds the same recorded bytes with other libraries, to compare our unwinder with them. */
#ifndef FREC_TESTS_UNWIND_OTHERS_H
#define FREC_TESTS_UNWIND_OTHERS_H

#include "tests/unwind/recording.h"

struct other;

/* Makes a libdwfl session with the recording's mappings, for all its stacks. Returns NULL on
 * failure. */
struct other *dwfl_other_create(const struct recording *recording);
/* Fills `frames` with the pcs that libdwfl finds, and returns how many there are. */
size_t dwfl_other_unwind(struct other *other, const struct recorded_stack *stack, uint64_t *frames,
			 size_t capacity);
/* Looks up the function, file and line of an address, and the calls inlined there, and discards
 * the results: only the time is of interest. */
void dwfl_other_name(struct other *other, uint64_t pc);
/* Returns the function at an address according to the symbol table, and its file; NULL: unknown. */
const char *dwfl_other_function(struct other *other, uint64_t pc, const char **ret_module);
void dwfl_other_destroy(struct other *other);

/* The same with libunwind's remote unwinding, through memory callbacks and with libunwind's
 * cache. */
struct other *libunwind_other_create(const struct recording *recording);
size_t libunwind_other_unwind(struct other *other, const struct recorded_stack *stack,
			      uint64_t *frames, size_t capacity);
void libunwind_other_destroy(struct other *other);

#endif
