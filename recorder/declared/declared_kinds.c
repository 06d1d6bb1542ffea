// SPDX-License-Identifier: MIT
// The kernel's view of declared events: the text that registers an event, and whether a format file
// agrees with a declaration.
#include "recorder/declared/declared_kinds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *kind, *registration;
	Flightrec__FieldKind refined;
	uint32_t size;
} kinds[] = {
	{"u8", "u8 %s", FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED, 1},
	{"u16", "u16 %s", FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED, 2},
	{"u32", "u32 %s", FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED, 4},
	{"u64", "u64 %s", FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED, 8},
	{"i8", "s8 %s", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 1},
	{"i16", "s16 %s", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 2},
	{"i32", "s32 %s", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 4},
	{"i64", "s64 %s", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 8},
	{"bool", "unsigned char %s", FLIGHTREC__FIELD_KIND__FIELD_BOOL, 1},
	{"f32", "struct float %s 4", FLIGHTREC__FIELD_KIND__FIELD_FLOAT, 4},
	{"f64", "struct double %s 8", FLIGHTREC__FIELD_KIND__FIELD_FLOAT, 8},
	{"ptr", "u64 %s", FLIGHTREC__FIELD_KIND__FIELD_POINTER, 8},
	{"enum", "s32 %s", FLIGHTREC__FIELD_KIND__FIELD_ENUM, 4},
	{"str", "__rel_loc char[] %s", FLIGHTREC__FIELD_KIND__FIELD_STRING, 4},
	{"text", "__rel_loc char[] %s", FLIGHTREC__FIELD_KIND__FIELD_STRING, 4},
	{"bytes", "__rel_loc u8[] %s", FLIGHTREC__FIELD_KIND__FIELD_BYTES, 4},
	{"chars", NULL, FLIGHTREC__FIELD_KIND__FIELD_CHARS, 0},
};

static int kind_of(const struct frec_declared_field *field)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(kinds[i].kind, field->kind))
			return (int)i;
	}
	return -1;
}

// Returns whether the kernel's format file gives the field the same type as the text that registers
// the event. Between the brackets of an array, the kernel prints uninitialised memory, so the text
// there is not compared.
static bool same_type(const struct frec_declared_field *declared, const struct frec_field *field)
{
	int kind = kind_of(declared);
	size_t length;

	if (kind < 0)
		return false;
	if (!kinds[kind].size)
		return !strncmp(field->type, "char[", 5) && field->size == declared->length;
	length = strlen(kinds[kind].registration) - strlen(strstr(kinds[kind].registration, " %s"));
	if (kinds[kind].registration[length - 1] == ']')
		length -= strlen("]");
	return !strncmp(field->type, kinds[kind].registration, length) &&
	       (!field->type[length] || field->type[length - 1] == '[') &&
	       field->size == kinds[kind].size;
}

static bool agrees(const struct frec_declared *event, const struct frec_format *format)
{
	if (event->count != format->count)
		return false;
	for (size_t i = 0; i < event->count; i++) {
		if (strcmp(event->field[i].name, format->field[i].name) ||
		    !same_type(&event->field[i], &format->field[i]))
			return false;
	}
	return true;
}

static void refine_field(const struct frec_declared_field *declared, struct frec_field *field)
{
	field->kind = kinds[kind_of(declared)].refined;
	field->counted = !strcmp(declared->kind, "text");
	frec__enumerators_free(field->enumerator, field->enumerators);
	field->enumerators = 0;
	field->enumerator = NULL;
	for (size_t e = 0; e < declared->enumerators; e++) {
		const struct frec_enumerator *from = &declared->enumerator[e];

		if (frec__enumerators_add(&field->enumerator, &field->enumerators, from->value,
					  from->name, strlen(from->name)))
			break;
	}
}

bool frec__declarations_refine(const struct frec_declarations *declarations, const char *provider,
			       const char *name, struct frec_format *format)
{
	for (size_t i = 0; i < declarations->count; i++) {
		const struct frec_declared *event = &declarations->event[i];

		if (strcmp(event->provider, provider) || strcmp(event->name, name) ||
		    !agrees(event, format))
			continue;
		for (size_t f = 0; f < format->count; f++)
			refine_field(&event->field[f], &format->field[f]);
		return true;
	}
	return false;
}

int frec__declared_format(const struct frec_declared *event, struct frec_format *ret)
{
	uint32_t offset = FREC_COMMON_SIZE;

	*ret = (struct frec_format){.field = calloc(event->count + 1, sizeof(*ret->field))};
	if (!ret->field)
		return -ENOMEM;
	for (size_t i = 0; i < event->count; i++) {
		const struct frec_declared_field *from = &event->field[i];
		struct frec_field *to = &ret->field[ret->count++];
		int kind = kind_of(from);
		const char *text = kind >= 0 ? kinds[kind].registration : NULL;

		*to = (struct frec_field){.offset = offset, .name = strdup(from->name)};
		if (text)
			to->type = strndup(text, (size_t)(strstr(text, " %s") - text));
		else if (asprintf(&to->type, "char[%u]", from->length) < 0)
			to->type = NULL;
		if (!to->name || !to->type) {
			frec__format_deinit(ret);
			return -ENOMEM;
		}
		// only later versions know this kind and its size
		if (kind < 0)
			break;
		to->size = kinds[kind].size ? kinds[kind].size : from->length;
		offset += to->size;
		refine_field(from, to);
		if (to->kind == FLIGHTREC__FIELD_KIND__FIELD_CHARS)
			to->element_size = 1;
		if (to->kind == FLIGHTREC__FIELD_KIND__FIELD_STRING ||
		    to->kind == FLIGHTREC__FIELD_KIND__FIELD_BYTES)
			to->locator = FLIGHTREC__LOCATOR__LOCATOR_RELATIVE;
	}
	return 0;
}

char *frec__declared_registration(const struct frec_declared *event)
{
	size_t size;
	char *text = NULL;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	fprintf(stream, "%s__%s", event->provider, event->name);
	for (size_t i = 0; i < event->count; i++) {
		const struct frec_declared_field *field = &event->field[i];
		int kind = kind_of(field);

		fputs(i ? "; " : " ", stream);
		if (kind >= 0 && kinds[kind].size)
			fprintf(stream, kinds[kind].registration, field->name);
		else
			fprintf(stream, "char[%u] %s", field->length, field->name);
	}
	if (fclose(stream)) {
		free(text);
		return NULL;
	}
	return text;
}
