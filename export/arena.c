// SPDX-License-Identifier: MIT
// A bump allocator.
#include "export/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE (32u << 10)

struct frec_arena_block {
	struct frec_arena_block *next;
	size_t used, size;
	alignas(max_align_t) uint8_t data[];
};

void *frec__arena_alloc(struct frec_arena *arena, size_t size)
{
	struct frec_arena_block *block = arena->blocks;
	void *p;

	if (size > SIZE_MAX / 2) {
		arena->failed = true;
		return NULL;
	}
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!block || size > block->size - block->used) {
		size_t capacity = size > BLOCK_SIZE ? size : BLOCK_SIZE;

		block = malloc(sizeof(*block) + capacity);
		if (!block) {
			arena->failed = true;
			return NULL;
		}
		block->next = arena->blocks;
		block->used = 0;
		block->size = capacity;
		arena->blocks = block;
	}
	p = block->data + block->used;
	block->used += size;
	return memset(p, 0, size);
}

void *frec__arena_array(struct frec_arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		arena->failed = true;
		return NULL;
	}
	return frec__arena_alloc(arena, bytes);
}

char *frec__arena_utf8(struct frec_arena *arena, const void *data, size_t size, const char *end)
{
	static char empty[1];
	char *p;

	frec__text_clear(&arena->scratch);
	frec__text_utf8(&arena->scratch, data, size);
	frec__text_puts(&arena->scratch, end);
	if (arena->scratch.failed) {
		arena->failed = true;
		return empty;
	}
	p = frec__arena_alloc(arena, arena->scratch.size + 1);
	if (!p)
		return empty;
	if (arena->scratch.size)
		memcpy(p, arena->scratch.data, arena->scratch.size);
	return p;
}

char *frec__arena_string(struct frec_arena *arena, const char *string)
{
	return frec__arena_utf8(arena, string, strlen(string), "");
}

static void free_blocks(struct frec_arena *arena, const struct frec_arena_block *keep)
{
	while (arena->blocks != keep) {
		struct frec_arena_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
}

void frec__arena_reset(struct frec_arena *arena)
{
	struct frec_arena_block *last = arena->blocks;

	// The oldest block is kept unless it was made for something large.
	while (last && last->next)
		last = last->next;
	free_blocks(arena, last && last->size == BLOCK_SIZE ? last : NULL);
	if (arena->blocks)
		arena->blocks->used = 0;
}

void frec__arena_free(struct frec_arena *arena)
{
	free_blocks(arena, NULL);
	frec__text_free(&arena->scratch);
}
