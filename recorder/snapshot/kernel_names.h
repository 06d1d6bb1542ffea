/* SPDX-License-Identifier: MIT */
/* The names of the kernel's code that is in the call chains of a file: collected while its records
 * are written, looked up once. */
#ifndef FREC_RECORDER_SNAPSHOT_KERNEL_NAMES_H
#define FREC_RECORDER_SNAPSHOT_KERNEL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "flightrec.pb-c.h"
#include "proto/table.h"

/* No file gets the names of more addresses; call chains repeat themselves. */
#define FREC_KERNEL_ADDRESSES_MAX 16384

struct frec_kernel_names {
	struct frec_table address; /* a set: the keys */
};

/* Notes the addresses of the kernel in a call chain of `count` times 8 bytes, as perf writes it. */
void frec__kernel_names_add(struct frec_kernel_names *names, const uint8_t *callchain,
			    size_t count);
void frec__kernel_names_deinit(struct frec_kernel_names *names);

/*
 * Reads `kallsyms`, which has the form of /proc/kallsyms in any order, once, and fills in the
 * symbols that the addresses lie in, sorted. `on_progress` is called now and then. What kallsyms does
 * not tell gets a symbol without a name, so that no other's reaches over it. Returns 0, -ENODATA
 * where nothing can be told (no address, or kallsyms hides them), -ENOMEM. The caller frees
 * ret->symbol by frec__kernel_names_free().
 */
int frec__kernel_names_find(const struct frec_kernel_names *names, FILE *kallsyms,
			    void (*on_progress)(void *), void *context,
			    Flightrec__KernelSymbols *ret);
void frec__kernel_names_free(Flightrec__KernelSymbols *symbols);

/* Whether every user of this machine may see addresses of the kernel: as /proc/kallsyms decides
 * it. */
bool frec__kernel_names_public(void);

#endif
