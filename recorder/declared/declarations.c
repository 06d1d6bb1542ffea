// SPDX-License-Identifier: MIT
// The list of declared events, and the text of the section that declares them. Which files have
// such a section is found in declared_files.c; what a declared event is to the kernel, in
// declared_kinds.c.
#include "recorder/declared/declarations.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DECLARATION_MAGIC 0x43454446u /* "FDEC" */
#define DECLARATION_VERSION 1
#define EVENTS_MAX 16384

// What an object of the section begins with; the values of its enumerators and its text follow. See
// flightrec/fields.h.
struct frec_declaration {
	uint32_t magic, size;
	uint16_t version, enumerators;
	uint32_t text_size;
};

void frec__enumerators_free(struct frec_enumerator *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i].name);
	free(list);
}

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
	*declarations = (struct frec_declarations){0};
}

// The next of the NUL-terminated strings of a text, NULL behind the last.
static const char *next_string(const char **text, const char *end)
{
	const char *string = *text,
		   *nul = string < end ? memchr(string, 0, (size_t)(end - string)) : NULL;

	if (!nul || nul == string)
		return NULL;
	*text = nul + 1;
	return string;
}

static bool is_identifier(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)text[i]) && text[i] != '_')
			return false;
	}
	return length > 0;
}

// "enum state:IDLE,BUSY", with the values taken from the front of *values.
static int parse_field(const char *text, struct frec_declared_field *field, const int64_t **values,
		       size_t *left)
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
		const char *enumerator = colon + 1 + strspn(colon + 1, " ");
		struct frec_enumerator *grown;

		colon = enumerator + strcspn(enumerator, ",");
		if (!*left || !is_identifier(enumerator, (size_t)(colon - enumerator)))
			return -EBADMSG;
		grown = reallocarray(field->enumerator, field->enumerators + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		field->enumerator = grown;
		memcpy(&grown[field->enumerators].value, (*values)++, sizeof(int64_t));
		(*left)--;
		grown[field->enumerators].name = strndup(enumerator, (size_t)(colon - enumerator));
		if (!grown[field->enumerators++].name)
			return -ENOMEM;
	}
	return 0;
}

static int parse_text(const char *text, size_t size, const int64_t *values, size_t value_count,
		      struct frec_declared *event)
{
	const char *end = text + size, *provider = next_string(&text, end),
		   *name = provider ? next_string(&text, end) : NULL, *line;

	if (!name || !is_identifier(provider, strlen(provider)) ||
	    !is_identifier(name, strlen(name)))
		return -EBADMSG;
	event->provider = strdup(provider);
	event->name = strdup(name);
	if (!event->provider || !event->name)
		return -ENOMEM;
	while ((line = next_string(&text, end))) {
		struct frec_declared_field *grown;
		int r;

		if (event->count == FREC_FIELDS_MAX)
			return -EBADMSG;
		grown = reallocarray(event->field, event->count + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		event->field = grown;
		grown += event->count++;
		*grown = (struct frec_declared_field){0};
		r = parse_field(line, grown, &values, &value_count);
		if (r)
			return r;
	}
	return 0;
}

static bool same(const struct frec_declared *a, const struct frec_declared *b)
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

// Takes over `event`, or frees it when it is there already. Tells its index.
static int add_event(struct frec_declarations *declarations, struct frec_declared *event,
		     size_t *ret_index)
{
	struct frec_declared *grown;

	for (size_t i = 0; i < declarations->count; i++) {
		if (same(&declarations->event[i], event)) {
			declared_deinit(event);
			*ret_index = i;
			return 0;
		}
	}
	grown = declarations->count == EVENTS_MAX
			? NULL
			: reallocarray(declarations->event, declarations->count + 1,
				       sizeof(*grown));
	if (!grown) {
		declared_deinit(event);
		return -ENOMEM;
	}
	declarations->event = grown;
	*ret_index = declarations->count++;
	grown[*ret_index] = *event;
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
		return -EBADMSG; // Not ours after all, or of a later version.
	r = parse_text((const char *)data + sizeof(head) + values, head.text_size,
		       (const int64_t *)(data + sizeof(head)), head.enumerators, &event);
	if (r)
		declared_deinit(&event);
	else
		r = add_event(declarations, &event, ret_index);
	// One that makes no sense does not hide those behind it.
	if (r == -EBADMSG)
		*ret_index = SIZE_MAX;
	return r && r != -EBADMSG ? r : (ssize_t)head.size;
}

// Objects follow each other at multiples of 8 bytes; a linker may leave zeroes between them.
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
