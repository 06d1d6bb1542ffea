/* SPDX-License-Identifier: MIT */
/*
 * Code that a program has moved to anonymous memory at the same addresses, to have it in large
 * pages: `node --use-largepages=on`, databases, programs that were optimised with BOLT. The mapping
 * has no file any more, but what is there is still a copy of the file.
 */
#ifndef FREC_RECORDER_PROCESSES_MOVED_TEXT_H
#define FREC_RECORDER_PROCESSES_MOVED_TEXT_H

#include "recorder/processes/processes.h"

/* A line of /proc/PID/maps. */
struct frec_maps_line {
	uint64_t start, end, offset;
	bool executable;
	const char *path; /* "": none */
};

/* Returns whether `here`, which is anonymous, has code of the file whose mappings lie directly
 * before and after it; then `ret_offset` is the offset of that code in the file. */
bool frec__moved_text_between(const struct frec_maps_line *before,
			      const struct frec_maps_line *here, const struct frec_maps_line *after,
			      uint64_t *ret_offset);

/* Returns the mapping of the program's own code that the new mapping `map` replaces, or NULL if it
 * replaces none or is a mapping of a file. The other mappings of a process may be outdated, because
 * nobody reports what is unmapped, but a program's own code stays. */
const struct frec_mapping *frec__moved_text_of(const struct frec_process *process,
					       const struct frec_mapping *map);

#endif
