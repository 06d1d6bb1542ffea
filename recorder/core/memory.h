/* SPDX-License-Identifier: MIT */
/*
 * The memory of a process whose core is being dumped, read where and when the unwinder asks for it:
 * on the stack of a thread, across pages that were never touched (they read as zero here, which is
 * what the process would have read), on the stack that a signal interrupted, and wherever else call
 * frame information points to.
 *
 * Whole pages are read and kept, because a stack is read upwards, word by word. Only mappings that
 * the process itself could read are read: the kernel would also read a guard page, as zeros.
 */
#ifndef FREC_RECORDER_CORE_MEMORY_H
#define FREC_RECORDER_CORE_MEMORY_H

#include "recorder/core/process.h"

#define FREC_CORE_PAGE 4096
/* How many pages are kept: a power of two. */
#define FREC_CORE_PAGES 64
/* At most this many pages are read, for all threads together. */
#define FREC_CORE_PAGES_MAX (1u << 18)

/* Allocate it on the heap, because it is large. All zero but `process` is a valid start. */
struct frec_core_memory {
	const struct frec_core_process *process;
	size_t read; /* how many pages were read */
	struct frec_core_page {
		uint64_t address;
		size_t size; /* 0: empty, or nothing could be read */
		uint8_t bytes[FREC_CORE_PAGE];
	} page[FREC_CORE_PAGES]; /* found by the address */
};

/* Reads `size` bytes, at most FREC_CORE_PAGE. Returns whether all of them could be read. For struct
 * frec_stack; `context` is a struct frec_core_memory. */
bool frec__core_memory_read(void *context, uint64_t address, void *to, size_t size);

#endif
