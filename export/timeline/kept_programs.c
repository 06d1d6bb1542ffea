// SPDX-License-Identifier: MIT
// Uncompresses kept programs.
#include "export/timeline/kept_programs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define BUILD_ID_MAX 64

// Copies or uncompresses the content into `to`, which has exactly the bytes of all pieces.
static bool read_content(const Flightrec__Program *message, uint8_t *to, size_t size)
{
	switch (message->content_case) {
	case FLIGHTREC__PROGRAM__CONTENT_PLAIN:
		if (message->plain.len != size)
			return false;
		memcpy(to, message->plain.data, size);
		return true;
	case FLIGHTREC__PROGRAM__CONTENT_ZSTD:
		return ZSTD_decompress(to, size, message->zstd.data, message->zstd.len) == size;
	default:
		return false;
	}
}

// Returns 0, -EBADMSG if the message is damaged, -E2BIG if more than `left` bytes would be needed,
// or -ENOMEM. `ret_memory` has the path, the bytes and the list of pieces.
static int read_program(const Flightrec__Program *message, size_t left, struct frec_program *ret,
			void **ret_memory)
{
	struct frec_piece *piece;
	uint64_t size = 0;
	uint8_t *bytes;
	char *path;

	for (size_t i = 0; i < message->n_piece; i++)
		size += message->piece[i]->size;
	if (!size || !message->path.len || message->build_id.len > BUILD_ID_MAX)
		return -EBADMSG;
	if (size > FREC_PROGRAM_KEPT_MAX || size > left)
		return -E2BIG;
	piece = malloc(message->n_piece * sizeof(*piece) + size + message->path.len + 1);
	if (!piece)
		return -ENOMEM;
	bytes = (uint8_t *)(piece + message->n_piece);
	path = (char *)bytes + size;
	if (!read_content(message, bytes, size)) {
		free(piece);
		return -EBADMSG;
	}
	memcpy(path, message->path.data, message->path.len);
	path[message->path.len] = 0;
	for (size_t i = 0; i < message->n_piece; i++) {
		piece[i] = (struct frec_piece){message->piece[i]->offset, message->piece[i]->size,
					       bytes};
		bytes += piece[i].size;
	}
	*ret = (struct frec_program){.path = path,
				     .build_id = message->build_id.data,
				     .build_id_size = message->build_id.len,
				     .size = message->size,
				     .pieces = piece,
				     .count = message->n_piece};
	*ret_memory = piece;
	return 0;
}

int frec__kept_programs_init(struct frec_kept_programs *programs,
			     const struct frec_snapshot *snapshot)
{
	size_t left = FREC_LIMIT_PROGRAM_BYTES, most = snapshot->program_count;

	if (most > FREC_LIMIT_PROGRAMS) {
		snapshot->left_out->programs += most - FREC_LIMIT_PROGRAMS;
		most = FREC_LIMIT_PROGRAMS;
	}
	*programs =
		(struct frec_kept_programs){.program = calloc(most + 1, sizeof(*programs->program)),
					    .memory = calloc(most + 1, sizeof(*programs->memory))};
	if (!programs->program || !programs->memory)
		return -ENOMEM;
	for (size_t i = 0; i < most; i++) {
		struct frec_program *program = &programs->program[programs->count];
		int r = read_program(snapshot->programs[i], left, program,
				     &programs->memory[programs->count]);

		if (r == -ENOMEM)
			return r;
		if (r) {
			snapshot->left_out->programs++;
			continue;
		}
		for (size_t k = 0; k < program->count; k++)
			left -= program->pieces[k].size;
		programs->count++;
	}
	return 0;
}

void frec__kept_programs_deinit(struct frec_kept_programs *programs)
{
	for (size_t i = 0; i < programs->count; i++)
		free(programs->memory[i]);
	free(programs->memory);
	free(programs->program);
	*programs = (struct frec_kept_programs){0};
}
