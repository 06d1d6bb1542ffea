// SPDX-License-Identifier: MIT
// Parses tracefs format files into typed fields.
#include "recorder/declared/format.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/grow.h"

#define SYMBOLIC_CALL "__print_symbolic(REC->"

static bool starts(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static bool is_char(const char *type)
{
	return starts(type, "char") && (!type[4] || type[4] == '[');
}

// Splits a declaration such as "char comm[16]" or "__data_loc char[] path" into type and name.
// Brackets after the name belong to the type. The text between them comes from the kernel's source
// and can be an expression. For user_events, the kernel spells arrays as "char[16] tag" and
// "__rel_loc char text[-12]"; the number in the latter has no meaning. Returns 0,
// -EBADMSG or -ENOMEM.
static int split_declaration(const char *text, size_t length, struct frec_field *field)
{
	const char *end = text + length, *bracket = end, *name;

	if (length && end[-1] == ']') {
		int depth = 0;

		do {
			if (bracket == text)
				return -EBADMSG;
			bracket--;
			depth += *bracket == ']' ? 1 : *bracket == '[' ? -1 : 0;
		} while (depth);
	}
	name = bracket;
	while (name > text && name[-1] != ' ' && name[-1] != '*')
		name--;
	if (name == bracket || name == text)
		return -EBADMSG;
	field->name = strndup(name, (size_t)(bracket - name));
	while (name > text && name[-1] == ' ')
		name--;
	if (asprintf(&field->type, "%.*s%.*s", (int)(name - text), text, (int)(end - bracket),
		     bracket) < 0)
		field->type = NULL;
	return field->name && field->type ? 0 : -ENOMEM;
}

// Returns the size in bytes of one element of an array, or 0 if it cannot be derived from the type.
static uint32_t element_size(const struct frec_field *field, const char *type)
{
	unsigned long count = strtoul(strchr(type, '[') + 1, NULL, 10);
	uint32_t size;

	if (is_char(type))
		return 1;
	if (!count || field->size % count || starts(type, "struct ") || starts(type, "union "))
		return 0;
	size = (uint32_t)(field->size / count);
	return size == 1 || size == 2 || size == 4 || size == 8 ? size : 0;
}

// Returns the size in bytes of the numbers in a dynamic array such as "unsigned long[]", or 0 for
// everything else. Single bytes are no numbers here: they are often text.
static uint32_t number_size(const char *type)
{
	static const struct {
		const char *name;
		uint32_t size;
	} types[] = {
		{"s16", 2},
		{"u16", 2},
		{"int16_t", 2},
		{"uint16_t", 2},
		{"short", 2},
		{"short int", 2},
		{"s32", 4},
		{"u32", 4},
		{"int32_t", 4},
		{"uint32_t", 4},
		{"int", 4},
		{"pid_t", 4},
		{"uid_t", 4},
		{"gid_t", 4},
		{"s64", 8},
		{"u64", 8},
		{"int64_t", 8},
		{"uint64_t", 8},
		{"long", 8},
		{"long int", 8},
		{"long long", 8},
		{"long long int", 8},
		{"size_t", 8},
		{"ssize_t", 8},
		{"short unsigned int", 2},
		{"long unsigned int", 8},
		{"long long unsigned int", 8},
	};
	size_t length;

	if (starts(type, "unsigned "))
		type += strlen("unsigned ");
	else if (starts(type, "__") && strchr("su", type[2]))
		type += 2;
	length = strcspn(type, "[");
	while (length && type[length - 1] == ' ')
		length--;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strlen(types[i].name) == length && !memcmp(types[i].name, type, length))
			return types[i].size;
	}
	return 0;
}

static void classify(struct frec_field *field, bool is_signed, bool ours)
{
	const char *type = field->type;

	if (starts(type, "const "))
		type += 6;
	field->kind = FLIGHTREC__FIELD_KIND__FIELD_UNKNOWN;
	if (starts(type, "__data_loc ") || starts(type, "__rel_loc ")) {
		const char *element = strchr(type, ' ') + 1;

		field->locator = starts(type, "__data_loc") ? FLIGHTREC__LOCATOR__LOCATOR_DATA
							    : FLIGHTREC__LOCATOR__LOCATOR_RELATIVE;
		field->element_size = strchr(element, '[') ? number_size(element) : 0;
		field->element_signed = field->element_size && is_signed;
		field->kind = is_char(element)	    ? FLIGHTREC__FIELD_KIND__FIELD_STRING
			      : field->element_size ? FLIGHTREC__FIELD_KIND__FIELD_ARRAY
						    : FLIGHTREC__FIELD_KIND__FIELD_BYTES;
	} else if (strchr(type, '[')) {
		field->element_size = element_size(field, type);
		field->element_signed = is_signed;
		if (field->element_size)
			field->kind = is_char(type) ? FLIGHTREC__FIELD_KIND__FIELD_CHARS
						    : FLIGHTREC__FIELD_KIND__FIELD_ARRAY;
	} else if (strchr(type, '*')) {
		field->kind = FLIGHTREC__FIELD_KIND__FIELD_POINTER;
	} else if ((ours && (!strcmp(type, "struct double") || !strcmp(type, "struct float"))) ||
		   // kernel tracepoints have no such fields, but files from `export -f perf` do
		   !strcmp(type, "double") || !strcmp(type, "float")) {
		field->kind = FLIGHTREC__FIELD_KIND__FIELD_FLOAT;
	} else if (!strcmp(type, "bool") || (ours && !strcmp(type, "unsigned char"))) {
		field->kind = FLIGHTREC__FIELD_KIND__FIELD_BOOL;
	} else if (!starts(type, "struct ") && !starts(type, "union ") &&
		   (field->size == 1 || field->size == 2 || field->size == 4 || field->size == 8)) {
		field->kind = is_signed ? FLIGHTREC__FIELD_KIND__FIELD_SIGNED
					: FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED;
	}
}

static int parse_field(struct frec_format *format, const char *line, bool ours)
{
	const char *declaration = line + strlen("field:");
	const char *semicolon = strchr(declaration, ';');
	struct frec_field *field;
	unsigned int offset, size;
	int is_signed, r;

	if (!semicolon ||
	    sscanf(semicolon, "; offset:%u; size:%u; signed:%d", &offset, &size, &is_signed) != 3)
		return -EBADMSG;
	if (format->count == FREC_FIELDS_MAX || offset > UINT16_MAX || size > UINT16_MAX)
		return -EBADMSG;
	if (!frec__grow(&format->field, format->count, sizeof(*field)))
		return -ENOMEM;
	field = &format->field[format->count++];
	*field = (struct frec_field){.offset = offset, .size = size};
	r = split_declaration(declaration, (size_t)(semicolon - declaration), field);
	if (r)
		return r;
	if (starts(field->name, "common_")) {
		free(field->name);
		free(field->type);
		format->count--;
		return 0;
	}
	classify(field, is_signed, ours);
	return 0;
}

int frec__format_parse(struct frec_format *format, const char *text, bool ours,
		       struct frec_error *reterr)
{
	bool have_id = false;
	int r = 0;

	*format = (struct frec_format){0};
	for (const char *line = text; line && *line && !r;) {
		const char *next = strchr(line, '\n');

		while (*line == '\t' || *line == ' ')
			line++;
		if (starts(line, "ID: ")) {
			format->id = (uint32_t)strtoul(line + 4, NULL, 10);
			have_id = true;
		} else if (starts(line, "field:")) {
			r = parse_field(format, line, ours);
		} else if (starts(line, "print fmt:")) {
			break;
		}
		line = next ? next + 1 : NULL;
	}
	if (!r && !have_id)
		r = -EBADMSG;
	if (r) {
		frec__format_deinit(format);
		return frec__error(reterr, r, "the kernel's format file cannot be read: %s",
				   r == -ENOMEM ? "out of memory" : "unknown shape");
	}
	return 0;
}

struct frec_field *frec__format_add(struct frec_format *format, const char *name, const char *type,
				    Flightrec__FieldKind kind, size_t offset, size_t size)
{
	struct frec_field *field;

	if (!frec__grow(&format->field, format->count, sizeof(*field)))
		return NULL;
	field = &format->field[format->count++];
	*field = (struct frec_field){.name = strdup(name),
				     .type = strdup(type),
				     .kind = kind,
				     .offset = (uint32_t)offset,
				     .size = (uint32_t)size};
	return field->name && field->type ? field : NULL;
}

int frec__enumerators_add(struct frec_enumerator **list, size_t *count, int64_t value,
			  const char *name, size_t length)
{
	char *copy;

	if (!frec__grow(list, *count, sizeof(**list)))
		return -ENOMEM;
	copy = strndup(name, length);
	if (!copy)
		return -ENOMEM;
	(*list)[(*count)++] = (struct frec_enumerator){.value = value, .name = copy};
	return 0;
}

void frec__enumerators_free(struct frec_enumerator *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i].name);
	free(list);
}

// Parses { NUMBER, "NAME" } at `text`. Returns the end of the pair, or NULL if there is none.
static const char *parse_pair(const char *text, int64_t *ret_value, const char **ret_name,
			      size_t *ret_size)
{
	char *end;

	text += strspn(text, ", ");
	if (*text != '{')
		return NULL;
	errno = 0;
	*ret_value = strtoll(text + 1, &end, 0);
	if (errno || end == text + 1)
		return NULL;
	end += strspn(end, ", ");
	if (*end != '"')
		return NULL;
	*ret_name = end + 1;
	*ret_size = strcspn(*ret_name, "\"");
	end += 1 + *ret_size;
	if (*end != '"')
		return NULL;
	end += 1 + strspn(end + 1, " ");
	return *end == '}' ? end + 1 : NULL;
}

static struct frec_field *find_integer(struct frec_format *format, const char *name, size_t length)
{
	for (size_t i = 0; i < format->count; i++) {
		struct frec_field *field = &format->field[i];

		if (strlen(field->name) == length && !memcmp(field->name, name, length) &&
		    (field->kind == FLIGHTREC__FIELD_KIND__FIELD_SIGNED ||
		     field->kind == FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED))
			return field;
	}
	return NULL;
}

int frec__format_symbols(struct frec_format *format, const char *text)
{
	const char *call = strstr(text, "\nprint fmt:");
	int r = 0;

	while (!r && call && (call = strstr(call, SYMBOLIC_CALL))) {
		const char *name = call + strlen(SYMBOLIC_CALL), *pair, *symbol;
		size_t length = strcspn(name, ", "), size;
		struct frec_field *field = find_integer(format, name, length);
		int64_t value;

		call = pair = name + length;
		while (!r && field && field->enumerators < FREC_ENUMERATORS_MAX &&
		       (pair = parse_pair(pair, &value, &symbol, &size))) {
			field->kind = FLIGHTREC__FIELD_KIND__FIELD_ENUM;
			r = frec__enumerators_add(&field->enumerator, &field->enumerators, value,
						  symbol, size);
		}
	}
	return r;
}

void frec__format_deinit(struct frec_format *format)
{
	for (size_t i = 0; i < format->count; i++) {
		struct frec_field *field = &format->field[i];

		frec__enumerators_free(field->enumerator, field->enumerators);
		free(field->name);
		free(field->type);
	}
	free(format->field);
	*format = (struct frec_format){0};
}

const struct frec_field *frec__format_find(const struct frec_format *format, const char *name)
{
	for (size_t i = 0; i < format->count; i++) {
		if (!strcmp(format->field[i].name, name))
			return &format->field[i];
	}
	return NULL;
}

uint64_t frec__field_value(const struct frec_field *field, const void *payload, size_t size)
{
	uint64_t value = 0;

	if (!field || !field->size || field->size > 8 || field->offset + field->size > size)
		return 0;
	memcpy(&value, (const char *)payload + field->offset, field->size);
	if (field->kind == FLIGHTREC__FIELD_KIND__FIELD_SIGNED && field->size < 8) {
		unsigned int shift = 64 - 8 * field->size;

		value = (uint64_t)((int64_t)(value << shift) >> shift);
	}
	return value;
}
