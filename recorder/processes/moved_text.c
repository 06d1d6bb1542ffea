// SPDX-License-Identifier: MIT
#include "recorder/processes/moved_text.h"

#include <string.h>

// Returns whether a mapping with this path has no file, or one that only stands for memory.
static bool is_anonymous(const char *path)
{
	return *path != '/' || path[1] == '/' || !strncmp(path, "/anon_hugepage", 14) ||
	       !strncmp(path, "/dev/zero", 9);
}

bool frec__moved_text_between(const struct frec_maps_line *before,
			      const struct frec_maps_line *here, const struct frec_maps_line *after,
			      uint64_t *ret_offset)
{
	uint64_t from_before = before->offset + (here->start - before->start),
		 from_after = after->offset - (after->start - here->start);

	if (!here->executable || !is_anonymous(here->path) || is_anonymous(before->path) ||
	    strcmp(before->path, after->path) || before->end != here->start ||
	    here->end != after->start)
		return false;
	// Segments of a file need not be as far apart in memory as they are in the file, so what
	// is left of the same segment decides.
	*ret_offset = before->executable ? from_before : from_after;
	return before->executable || after->executable || from_before == from_after;
}

const struct frec_mapping *frec__moved_text_of(const struct frec_process *process,
					       const struct frec_mapping *map)
{
	const struct frec_mapping *own = process->map;

	// The first thing that an exec maps is the program.
	if (!process->maps || !is_anonymous(map->path) || is_anonymous(own->path))
		return NULL;
	for (size_t i = 0; i < process->maps; i++) {
		const struct frec_mapping *code = &process->map[i];

		if (code->start <= map->start && map->end <= code->end &&
		    !strcmp(code->path, own->path))
			return code;
	}
	return NULL;
}
