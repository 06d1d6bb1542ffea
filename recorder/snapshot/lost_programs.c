// SPDX-License-Identifier: MIT
// Packs what the unwinder returns of lost programs, compressed.
#include "recorder/snapshot/lost_programs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "proto/cleanup.h"
#include "proto/part.h"

#define ZSTD_LEVEL 1

// Puts the bytes of all pieces one after the other into `plain`, and describes them in `piece`.
static void list_pieces(const struct frec_program *program, Flightrec__Piece *piece,
			Flightrec__Piece **pointers, uint8_t *plain)
{
	for (size_t i = 0; i < program->count; i++) {
		flightrec__piece__init(&piece[i]);
		piece[i].offset = program->pieces[i].offset;
		piece[i].size = (uint32_t)program->pieces[i].size;
		pointers[i] = &piece[i];
		memcpy(plain, program->pieces[i].data, program->pieces[i].size);
		plain += program->pieces[i].size;
	}
}

static int pack(const struct frec_program *program, uint8_t **ret, size_t *ret_size)
{
	Flightrec__Program message = FLIGHTREC__PROGRAM__INIT;
	FREC_FREE Flightrec__Piece *piece = calloc(program->count, sizeof(*piece));
	FREC_FREE Flightrec__Piece **pointers = calloc(program->count, sizeof(*pointers));
	FREC_FREE uint8_t *plain = NULL, *packed = NULL;
	size_t size = 0, room;

	for (size_t i = 0; i < program->count; i++)
		size += program->pieces[i].size;
	room = ZSTD_compressBound(size);
	plain = malloc(size + 1);
	packed = malloc(room);
	if (!piece || !pointers || !plain || !packed)
		return -ENOMEM;
	list_pieces(program, piece, pointers, plain);
	message.path = (ProtobufCBinaryData){.len = strlen(program->path),
					     .data = (uint8_t *)(uintptr_t)program->path};
	message.build_id = (ProtobufCBinaryData){.len = program->build_id_size,
						 .data = (uint8_t *)(uintptr_t)program->build_id};
	message.size = program->size;
	message.n_piece = program->count;
	message.piece = pointers;
	room = ZSTD_compress(packed, room, plain, size, ZSTD_LEVEL);
	if (ZSTD_isError(room) || room >= size) {
		message.content_case = FLIGHTREC__PROGRAM__CONTENT_PLAIN;
		message.plain = (ProtobufCBinaryData){size, plain};
	} else {
		message.content_case = FLIGHTREC__PROGRAM__CONTENT_ZSTD;
		message.zstd = (ProtobufCBinaryData){room, packed};
	}
	return frec__part_pack(FREC_PART_PROGRAM, &message.base, ret, ret_size);
}

int frec__lost_programs_pack(const struct frec_unwinder *unwinder, size_t limit,
			     int (*write)(void *context, const uint8_t *part, size_t size),
			     void *context)
{
	size_t at = 0, size = 0;
	int r = 1;

	for (size_t i = 0; i < FREC_LOST_PROGRAMS_MAX && r > 0; i++) {
		FREC_FREE uint8_t *part = NULL;
		struct frec_program program;

		r = frec__unwinder_lost_program(unwinder, &at, &program);
		if (r <= 0)
			break;
		r = pack(&program, &part, &size);
		frec__program_deinit(&program);
		// A smaller program may fit where this one does not.
		if (r || size > limit || size > FREC_LOST_PROGRAM_BYTES_MAX) {
			r = r ? r : 1;
			continue;
		}
		limit -= size;
		r = write(context, part, size);
		r = r ? r : 1;
	}
	return r < 0 ? r : 0;
}

bool frec__lost_program_equal(const Flightrec__Program *a, const Flightrec__Program *b)
{
	const ProtobufCBinaryData *one = a->build_id.len ? &a->build_id : &a->path;
	const ProtobufCBinaryData *other = a->build_id.len ? &b->build_id : &b->path;

	return a->build_id.len == b->build_id.len && one->len == other->len &&
	       !memcmp(one->data, other->data, one->len);
}
