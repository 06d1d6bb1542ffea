// SPDX-License-Identifier: MIT
// The list of declared events, and the parser of the section that declares them.
#include "recorder/declared/declarations.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/bytes.h"
#include "proto/grow.h"
#include "recorder/declared/file_reader.h"

#define DECLARATION_MAGIC 0x43454446u /* "FDEC" */
#define DECLARATION_VERSION 1
#define EVENTS_MAX 16384

// The start of a declaration in the section. The values of its enumerators follow, then its text:
// see flightrec/fields.h.
struct frec_declaration {
	uint32_t magic, size;
	uint16_t version, enumerators;
	uint32_t text_size;
};

static void declared_deinit(struct frec_declared *event)
{
	for (size_t i = 0; i < event->count; i++) {
		free(event->field[i].kind);
		free(event->field[i].name);
		frec__enumerators_free(event->field[i].enumerator, event->field[i].enumerators);
	}
	free(event->field);
	free(event->provider);
	free(event->name);
}

void frec__declarations_deinit(struct frec_declarations *declarations)
{
	for (size_t i = 0; i < declarations->count; i++)
		declared_deinit(&declarations->event[i]);
	free(declarations->event);
	free(declarations->file);
	if (declarations->reader)
		frec__file_reader_deinit(declarations->reader);
	free(declarations->reader);
	*declarations = (struct frec_declarations){0};
}

// Returns the next string of a text, or NULL at its end, which is marked by an empty string.
static const char *next_string(struct frec_bytes *text)
{
	const char *string = frec__bytes_text(text);

	return string && *string ? string : NULL;
}

static bool is_identifier(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)text[i]) && text[i] != '_')
			return false;
	}
	return length > 0;
}

// `*text` is an enumerator as the source spells it, such as " app::State::idle". Moves *text to its
// last name, here "idle", and returns the length of that name.
static size_t last_name(const char **text, const char *end)
{
	while (end > *text && end[-1] == ' ')
		end--;
	for (const char *p = *text; p < end; p++) {
		if (*p == ':' || (*p == ' ' && p == *text))
			*text = p + 1;
	}
	return (size_t)(end - *text);
}

// Parses the text of a field, such as "enum state:IDLE,BUSY". Reads the value of each enumerator
// from `values`. Returns 0, -EBADMSG or -ENOMEM.
static int parse_field(const char *text, struct frec_declared_field *field,
		       struct frec_bytes *values)
{
	const char *space = strchr(text, ' '), *colon, *name;

	if (!space || !is_identifier(text, (size_t)(space - text)))
		return -EBADMSG;
	name = space + 1;
	colon = name + strcspn(name, ":");
	if (!is_identifier(name, (size_t)(colon - name)))
		return -EBADMSG;
	field->kind = strndup(text, (size_t)(space - text));
	field->name = strndup(name, (size_t)(colon - name));
	if (!field->kind || !field->name)
		return -ENOMEM;
	if (!strcmp(field->kind, "chars"))
		field->length = *colon ? (unsigned int)strtoul(colon + 1, NULL, 0) : 0;
	if (strcmp(field->kind, "enum"))
		return 0;
	while (*colon) {
		const char *enumerator = colon + 1;
		int64_t value = (int64_t)frec__bytes_u64(values);
		size_t length;

		colon = enumerator + strcspn(enumerator, ",");
		length = last_name(&enumerator, colon);
		if (values->failed || !is_identifier(enumerator, length))
			return -EBADMSG;
		if (frec__enumerators_add(&field->enumerator, &field->enumerators, value,
					  enumerator, length))
			return -ENOMEM;
	}
	return 0;
}

static int parse_text(struct frec_bytes text, struct frec_bytes values, struct frec_declared *event)
{
	const char *provider = next_string(&text), *name = provider ? next_string(&text) : NULL,
		   *line;

	if (!name || !is_identifier(provider, strlen(provider)) ||
	    !is_identifier(name, strlen(name)))
		return -EBADMSG;
	event->provider = strdup(provider);
	event->name = strdup(name);
	if (!event->provider || !event->name)
		return -ENOMEM;
	while ((line = next_string(&text))) {
		struct frec_declared_field *field;
		int r;

		if (event->count == FREC_FIELDS_MAX)
			return -EBADMSG;
		if (!frec__grow(&event->field, event->count, sizeof(*field)))
			return -ENOMEM;
		field = &event->field[event->count++];
		*field = (struct frec_declared_field){0};
		r = parse_field(line, field, &values);
		if (r)
			return r;
	}
	return 0;
}

static bool equal(const struct frec_declared *a, const struct frec_declared *b)
{
	if (strcmp(a->provider, b->provider) || strcmp(a->name, b->name) || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->field[i].kind, b->field[i].kind) ||
		    strcmp(a->field[i].name, b->field[i].name) ||
		    a->field[i].length != b->field[i].length)
			return false;
	}
	return true;
}

// Takes ownership of `event`. If the list already has an equal one, frees `event` and sets
// `ret_index` to the index of the equal one. If the list is full, sets `ret_index` to SIZE_MAX.
// Returns 0 or -ENOMEM.
static int add_event(struct frec_declarations *declarations, struct frec_declared *event,
		     size_t *ret_index)
{
	for (size_t i = 0; i < declarations->count; i++) {
		if (equal(&declarations->event[i], event)) {
			declared_deinit(event);
			*ret_index = i;
			return 0;
		}
	}
	if (declarations->count == EVENTS_MAX) {
		declared_deinit(event);
		*ret_index = SIZE_MAX;
		return 0;
	}
	if (!frec__grow(&declarations->event, declarations->count, sizeof(*event))) {
		declared_deinit(event);
		return -ENOMEM;
	}
	*ret_index = declarations->count++;
	declarations->event[*ret_index] = *event;
	return 0;
}

ssize_t frec__declaration_read(struct frec_declarations *declarations, const uint8_t *data,
			       size_t size, size_t *ret_index)
{
	struct frec_declaration head;
	struct frec_declared event = {0};
	size_t values;
	int r;

	if (size < sizeof(head))
		return -EBADMSG;
	memcpy(&head, data, sizeof(head));
	values = (size_t)head.enumerators * sizeof(int64_t);
	if (head.magic != DECLARATION_MAGIC || head.version != DECLARATION_VERSION ||
	    head.size > size || head.size % 8 || head.size < sizeof(head) + values ||
	    head.text_size > head.size - sizeof(head) - values)
		return -EBADMSG; // Not a declaration, or one of a later version.
	r = parse_text(frec__bytes(data + sizeof(head) + values, head.text_size),
		       frec__bytes(data + sizeof(head), values), &event);
	if (r)
		declared_deinit(&event);
	else
		r = add_event(declarations, &event, ret_index);
	// Even if the text is malformed, the size of the declaration is known, so the caller can
	// continue after it.
	if (r == -EBADMSG)
		*ret_index = SIZE_MAX;
	return r && r != -EBADMSG ? r : (ssize_t)head.size;
}

// Declarations start at multiples of 8 bytes, and a linker may leave zeroes between them.
int frec__declarations_read(struct frec_declarations *declarations, const uint8_t *data,
			    size_t size)
{
	static const uint8_t gap[8];
	size_t at = 0, index;

	while (size - at >= sizeof(struct frec_declaration)) {
		ssize_t n = sizeof(gap);

		if (memcmp(data + at, gap, sizeof(gap)))
			n = frec__declaration_read(declarations, data + at, size - at, &index);
		if (n < 0)
			return n == -ENOMEM ? -ENOMEM : 0;
		at += (size_t)n;
	}
	return 0;
}
