/* SPDX-License-Identifier: MIT */
/* Functions, files and lines of one module: from all that its files tell, each address once. */
#ifndef FREC_UNWIND_NAMES_H
#define FREC_UNWIND_NAMES_H

#include "unwind/unwind.h"

struct frec_module;
struct frec_names_index;

/*
 * What is known of `address` in the module's file: fills in names, count, and start, where the last
 * of them begins (UINT64_MAX: unknown). -ENOMEM.
 */
int frec__names_find(struct frec_module *module, uint64_t address, struct frec_names *ret,
		     uint64_t *ret_start);
void frec__names_destroy(struct frec_names_index *index);

#endif
