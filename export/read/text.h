/* SPDX-License-Identifier: MIT */
/* Growing text, and the ways to put bytes of unknown origin into it: as JSON, for a terminal, as
 * valid UTF-8. */
#ifndef FREC_EXPORT_READ_TEXT_H
#define FREC_EXPORT_READ_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "export/read/short_bytes.h"

/* Start with zeroes. `data` is NUL-terminated once something was added. A failed allocation sets
 * `failed` and loses what was to be added. */
struct frec_text {
	char *data;
	size_t size, capacity;
	bool failed;
};

void frec__text_free(struct frec_text *text);
void frec__text_clear(struct frec_text *text);

/* Makes room for `more` bytes and a NUL behind them. Returns false and sets `failed` without
 * memory. */
bool frec__text_grow(struct frec_text *text, size_t more);

/* For what is written by hand: room for `more` bytes behind the text, or NULL without memory; and
 * the text then reaches up to `end`. */
static inline char *frec__text_room(struct frec_text *text, size_t more)
{
	// With room for the NUL; a text that failed has no capacity left.
	if (__builtin_expect(more >= text->capacity - text->size, 0) &&
	    !frec__text_grow(text, more))
		return NULL;
	return text->data + text->size;
}

static inline void frec__text_end(struct frec_text *text, char *end)
{
	text->size = (size_t)(end - text->data);
	*end = '\0';
}

void frec__text_add(struct frec_text *text, const void *data, size_t size);

/* A text that is made once and added many times: pieces of a fixed size are copied, which takes no
 * call. To be called when it is whole. */
#define FREC_TEXT_PIECE 16

static inline void frec__text_finish(struct frec_text *made)
{
	frec__text_room(made, FREC_TEXT_PIECE);
}

static inline void frec__text_add_made(struct frec_text *text, const struct frec_text *made)
{
	char *p = frec__text_room(text, made->size + FREC_TEXT_PIECE);

	if (!p)
		return;
	for (size_t i = 0; i < made->size; i += FREC_TEXT_PIECE)
		memcpy(p + i, made->data + i, FREC_TEXT_PIECE);
	frec__text_end(text, p + made->size);
}

static inline void frec__text_puts(struct frec_text *text, const char *string)
{
	size_t size = strlen(string);
	char *p;

	if (!__builtin_constant_p(size)) {
		frec__text_add(text, string, size);
		return;
	}
	// A literal is stored without a call.
	p = frec__text_room(text, size);
	if (!p)
		return;
	memcpy(p, string, size);
	frec__text_end(text, p + size);
}

__attribute__((format(printf, 2, 3))) void frec__text_printf(struct frec_text *text,
							     const char *format, ...);

/* Bytes that are not UTF-8 become the four characters \xNN; everything else stays (NUL too becomes
 * \x00). */
void frec__text_utf8(struct frec_text *text, const void *data, size_t size);

/* The same for people and terminals: control characters and those that turn the direction of text
 * also become \xNN. */
void frec__text_plain(struct frec_text *text, const void *data, size_t size);

/* A JSON string with its quotes, valid UTF-8 whatever the bytes. */
void frec__text_json(struct frec_text *text, const void *data, size_t size);
void frec__text_json_puts(struct frec_text *text, const char *string);

/* Two digits a byte; frec__hex() without a NUL. */
void frec__hex(void *to, const uint8_t *data, size_t size);
void frec__text_hex(struct frec_text *text, const uint8_t *data, size_t size);

#endif
