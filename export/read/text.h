/* SPDX-License-Identifier: MIT */
/* Text that grows. Bytes of unknown origin are added to it as JSON, as text that is safe on a
 * terminal, or as valid UTF-8. */
#ifndef FREC_EXPORT_READ_TEXT_H
#define FREC_EXPORT_READ_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "export/read/short_bytes.h"

/* Start with zeroes. `data` is NUL-terminated once something was added. If an allocation fails,
 * `failed` is set and nothing can be added any more. */
struct frec_text {
	char *data;
	size_t size, capacity;
	bool failed;
};

/* Returns whether any text of this process has ever failed. */
bool frec__text_ran_out(void);

void frec__text_free(struct frec_text *text);

/* A local text that is freed at the end of its scope. */
#define FREC_TEXT_FREE __attribute__((cleanup(frec__text_free)))
void frec__text_clear(struct frec_text *text);

/* Makes space for `more` bytes and a NUL after them. If memory runs out, returns false and sets
 * `failed`. */
bool frec__text_grow(struct frec_text *text, size_t more);

/* For callers that write into the buffer themselves: returns the end of the text, with space for
 * `more` bytes, or NULL if memory runs out. The caller then passes the new end of the text to
 * frec__text_end(). */
static inline char *frec__text_room(struct frec_text *text, size_t more)
{
	// >= and not >, because the NUL needs space too. A text that failed has no capacity left.
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

/* frec__text_add_made() adds a text that is made once and added many times. It copies pieces of
 * this fixed size, so that the compiler needs no call of memcpy(). Once the text to add is
 * complete, it must be passed to frec__text_finish(), so that its last piece can be copied
 * whole. */
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
	// A string literal is copied inline.
	p = frec__text_room(text, size);
	if (!p)
		return;
	memcpy(p, string, size);
	frec__text_end(text, p + size);
}

__attribute__((format(printf, 2, 3))) void frec__text_printf(struct frec_text *text,
							     const char *format, ...);

/* Returns whether the bytes are text that a person can read: at least one character, valid UTF-8,
 * and no character that frec__text_plain() escapes but tab, newline and carriage return. */
bool frec__text_is_printable(const void *data, size_t size);

/* Adds bytes as valid UTF-8: each NUL, and each byte that is not part of valid UTF-8, becomes the
 * four characters \xNN. */
void frec__text_utf8(struct frec_text *text, const void *data, size_t size);

/* Adds bytes as valid UTF-8 that is safe on a terminal: in addition, control characters, line
 * separators, and characters that change the direction of text become \xNN. */
void frec__text_plain(struct frec_text *text, const void *data, size_t size);

/* Adds bytes as a JSON string with its quotes. The string is valid UTF-8 whatever the bytes are. */
void frec__text_json(struct frec_text *text, const void *data, size_t size);
void frec__text_json_puts(struct frec_text *text, const char *string);

/* frec__text_hex() adds two hexadecimal digits for each byte; frec__hex() writes them to `to`,
 * without a NUL. */
void frec__hex(void *to, const uint8_t *data, size_t size);
void frec__text_hex(struct frec_text *text, const uint8_t *data, size_t size);

#endif
