/* SPDX-License-Identifier: MIT */
/* The names of a module's addresses, combined from its symbol tables and debugging information. */
#ifndef FREC_UNWIND_NAMES_H
#define FREC_UNWIND_NAMES_H

#include "unwind/unwind.h"

struct frec_module;
struct frec_names_index;

/*
 * Looks up `address` of the module's file. Fills in `names` and `count` of `ret`. `*ret_start` is
 * the start of the function that the others are inlined into (UINT64_MAX: unknown). The result is
 * kept, so that no address is looked up twice. Returns 0 or -ENOMEM.
 */
int frec__names_find(struct frec_module *module, uint64_t address, struct frec_names *ret,
		     uint64_t *ret_start);
void frec__names_destroy(struct frec_names_index *index);

#endif
