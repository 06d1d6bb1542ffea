/* SPDX-License-Identifier: MIT */
/* Kernel symbols for the call chains of a file. The addresses are collected while records are
 * written, and looked up once at the end. */
#ifndef FREC_RECORDER_SNAPSHOT_KERNEL_NAMES_H
#define FREC_RECORDER_SNAPSHOT_KERNEL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "flightrec.pb-c.h"
#include "proto/table.h"

/* At most this many addresses get names, which is enough: call chains repeat themselves, so there
 * are few different addresses. */
#define FREC_KERNEL_ADDRESSES_MAX 16384

struct frec_kernel_names {
	struct frec_table address; /* the collected addresses are the keys */
};

/* Collects the kernel addresses in a call chain, which has `count` values of 8 bytes, as perf
 * writes them. */
void frec__kernel_names_add(struct frec_kernel_names *names, const uint8_t *callchain,
			    size_t count);
void frec__kernel_names_deinit(struct frec_kernel_names *names);

/*
 * Reads `kallsyms` once: symbols in the form of /proc/kallsyms, in any order. Returns in `ret` the
 * symbols of the collected addresses, sorted. An address that no symbol covers gets a symbol
 * without a name, so that a reader does not extend the previous symbol over it. `on_progress` is
 * called now and then, and may be NULL. Returns 0, -ENOMEM, or -ENODATA if no address was collected
 * or kallsyms hides the addresses. If it returns 0, the caller frees `ret` with
 * frec__kernel_names_free().
 */
int frec__kernel_names_find(const struct frec_kernel_names *names, FILE *kallsyms,
			    void (*on_progress)(void *), void *context,
			    Flightrec__KernelSymbols *ret);
void frec__kernel_names_free(Flightrec__KernelSymbols *symbols);

/* Returns whether every user of this machine may see kernel addresses, according to the rules of
 * /proc/kallsyms. */
bool frec__kernel_names_public(void);

#endif
