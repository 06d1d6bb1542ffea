/* SPDX-License-Identifier: MIT */
/* The same recorded bytes, unwound by other libraries: what ours is compared with. */
#ifndef FREC_TESTS_UNWIND_OTHERS_H
#define FREC_TESTS_UNWIND_OTHERS_H

#include "tests/unwind/recording.h"

struct other;

/* libdwfl with the recording's mappings, to be used for all its stacks. NULL: it does not work
 * here. */
struct other *dwfl_other_create(const struct recording *recording);
/* Fills `frames` with pcs as libdwfl gives them, and returns how many. */
size_t dwfl_other_unwind(struct other *other, const struct recorded_stack *stack, uint64_t *frames,
			 size_t capacity);
/* Looks up the function, file and line of one address, and what was inlined there, and forgets
 * them. */
void dwfl_other_name(struct other *other, uint64_t pc);
/* The function at one address by the symbol table, and the file it is in; NULL: unknown. */
const char *dwfl_other_function(struct other *other, uint64_t pc, const char **ret_module);
void dwfl_other_destroy(struct other *other);

/* libunwind's remote unwinding through memory callbacks, with its cache. */
struct other *libunwind_other_create(const struct recording *recording);
size_t libunwind_other_unwind(struct other *other, const struct recorded_stack *stack,
			      uint64_t *frames, size_t capacity);
void libunwind_other_destroy(struct other *other);

#endif
