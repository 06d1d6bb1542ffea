/* SPDX-License-Identifier: MIT */
/* Registers and stack bytes of real programs, recorded with the kernel's perf events. The unwinder
 * gets the same input from a snapshot; here it gets that input without one. */
#ifndef FREC_TESTS_UNWIND_RECORDING_H
#define FREC_TESTS_UNWIND_RECORDING_H

#include <stdbool.h>
#include <sys/types.h>

#include "unwind/unwind.h"

#if defined(__x86_64__)
#define RECORDING_MASK 0xff0fffull
#else
#define RECORDING_MASK 0x1ffffffffull
#endif

struct recorded_stack {
	uint64_t mask, values[64];
	size_t count;
	struct frec_stack stack;
};

struct recording {
	char *maps_text; /* the text of /proc/PID/maps */
	struct frec_unwind_map *maps;
	size_t map_count;
	struct recorded_stack *stacks;
	size_t stack_count;
	/* the mapped file with the bytes of the stacks; NULL: each stack is allocated */
	const uint8_t *image;
	size_t image_size;
};

/* Samples every thread of `pid`, `per_second` times a second, until there are `count` stacks of at
 * most `bytes` each, or the process exits. Returns 0 or a negative errno. */
int recording_take(pid_t pid, size_t count, uint32_t bytes, unsigned int per_second,
		   struct recording *ret);
int recording_save(const struct recording *recording, const char *path);
int recording_load(const char *path, struct recording *ret);
void recording_free(struct recording *recording);

/* Parses the executable mappings in recording->maps_text and, if `build_ids` is true, reads their
 * build-ids from the files. Returns 0 or a negative errno. */
int recording_parse_maps(struct recording *recording, bool build_ids);

#endif
