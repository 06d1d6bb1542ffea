// SPDX-License-Identifier: MIT
// Payloads for perf, and the format files that describe them. perf trusts what it reads: it follows
// an offset that points outside the payload, and shows a signed field of fewer than 8 bytes without
// its sign. So payloads are made anew from decoded values: every integer has 8 bytes, every text is
// safe for a terminal and ends in a NUL, every offset is computed here. Floats are written as
// doubles, which perf shows as their bits, because it does not know floats. If the original payload
// was too short for a field, the field is 0 or empty.
#include "export/perf/payload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export/identifiers.h"

#define COMMON_SIZE 8
// A sample has at most 64 KiB, some of which registers and the call chain need.
#define FIXED_MAX (24u << 10)
#define PAYLOAD_MAX (48u << 10)

// Returns whether an array can be written as an array. perf reads the length of arrays in the
// format file, so the length must be fixed, and not too large.
static bool is_short_array(const Flightrec__Field *field)
{
	return field->locator == FLIGHTREC__LOCATOR__LOCATOR_NONE &&
	       field->size >= field->element_size &&
	       field->size / field->element_size <= FIXED_MAX / 8;
}

int frec__perf_lay_out(struct frec_perf_source *source, const Flightrec__Source *from, uint16_t id)
{
	source->id = id;
	source->fixed_size = COMMON_SIZE;
	source->fields = calloc(from->n_field + 1, sizeof(*source->fields));
	if (!source->fields)
		return -ENOMEM;
	for (size_t i = 0; i < from->n_field; i++) {
		struct frec_perf_field *field = &source->fields[i];

		field->type = frec__field_type(from->field[i]);
		field->count = 1;
		if (field->type == FREC_FIELD_ARRAY && is_short_array(from->field[i]))
			field->count = from->field[i]->size / from->field[i]->element_size;
		else if (field->type == FREC_FIELD_ARRAY)
			field->type = FREC_FIELD_BYTES;
		field->offset = source->fixed_size;
		if (8 * field->count > FIXED_MAX - source->fixed_size)
			field->count = 0;
		source->fixed_size += 8 * field->count;
	}
	return 0;
}

static bool is_signed(const Flightrec__Field *field)
{
	return field->kind == FLIGHTREC__FIELD_KIND__FIELD_SIGNED ||
	       field->kind == FLIGHTREC__FIELD_KIND__FIELD_ENUM ||
	       (field->kind == FLIGHTREC__FIELD_KIND__FIELD_ARRAY && field->element_signed);
}

static void add_declaration(struct frec_text *text, const struct frec_perf_field *field,
			    const Flightrec__Source *from, size_t index)
{
	bool sign = is_signed(from->field[index]);
	uint32_t size = 8 * field->count;

	frec__text_puts(text, "\tfield:");
	switch (field->type) {
	case FREC_FIELD_FLOAT:
		frec__text_puts(text, "double ");
		break;
	case FREC_FIELD_TEXT:
		frec__text_puts(text, "__data_loc char[] ");
		size = 4;
		break;
	case FREC_FIELD_BYTES:
		frec__text_puts(text, "__data_loc u8[] ");
		size = 4;
		break;
	default:
		// perf ignores `bool` and `void *`; `flightrec import` reads the type from them.
		if (from->field[index]->kind == FLIGHTREC__FIELD_KIND__FIELD_BOOL)
			frec__text_puts(text, "bool ");
		else if (from->field[index]->kind == FLIGHTREC__FIELD_KIND__FIELD_POINTER)
			frec__text_puts(text, "void *");
		else
			frec__text_puts(text, sign ? "s64 " : "u64 ");
		break;
	}
	frec__field_identifier(text, from, index);
	if (field->type == FREC_FIELD_ARRAY)
		frec__text_printf(text, "[%" PRIu32 "]", field->count);
	frec__text_printf(text, ";\toffset:%" PRIu32 ";\tsize:%" PRIu32 ";\tsigned:%d;\n",
			  field->offset, size, sign);
}

// Returns the printf() conversion for the field in the string of "print fmt".
static const char *conversion(const struct frec_perf_field *field, const Flightrec__Field *from)
{
	switch (field->type) {
	case FREC_FIELD_INTEGER:
		if (from->kind == FLIGHTREC__FIELD_KIND__FIELD_ENUM && from->n_enumerator)
			return "%s";
		if (from->kind == FLIGHTREC__FIELD_KIND__FIELD_POINTER)
			return "0x%llx";
		return is_signed(from) ? "%lld" : "%llu";
	case FREC_FIELD_FLOAT:
		return "0x%llx";
	default:
		return "%s";
	}
}

static void add_enumerators(struct frec_text *text, const Flightrec__Field *from)
{
	for (size_t i = 0; i < from->n_enumerator; i++) {
		frec__text_printf(text, ", { %" PRId64 ", \"", from->enumerator[i]->value);
		frec__identifier(text, from->enumerator[i]->name);
		frec__text_puts(text, "\" }");
	}
}

// Adds the argument for the field's conversion. Arguments come after the string of "print fmt".
static void add_argument(struct frec_text *text, const struct frec_perf_field *field,
			 const Flightrec__Source *from, size_t index)
{
	bool symbolic = from->field[index]->kind == FLIGHTREC__FIELD_KIND__FIELD_ENUM &&
			from->field[index]->n_enumerator && field->type == FREC_FIELD_INTEGER;

	frec__text_puts(text, ", ");
	switch (field->type) {
	case FREC_FIELD_TEXT:
		frec__text_puts(text, "__get_str(");
		frec__field_identifier(text, from, index);
		frec__text_puts(text, ")");
		return;
	case FREC_FIELD_BYTES:
		frec__text_puts(text, "__print_hex(__get_dynamic_array(");
		frec__field_identifier(text, from, index);
		frec__text_puts(text, "), __get_dynamic_array_len(");
		frec__field_identifier(text, from, index);
		frec__text_puts(text, "))");
		return;
	case FREC_FIELD_ARRAY:
		frec__text_puts(text, "__print_array(REC->");
		frec__field_identifier(text, from, index);
		frec__text_printf(text, ", %" PRIu32 ", 8)", field->count);
		return;
	default:
		frec__text_puts(text, symbolic ? "__print_symbolic(REC->" : "REC->");
		frec__field_identifier(text, from, index);
		if (symbolic) {
			add_enumerators(text, from->field[index]);
			frec__text_puts(text, ")");
		}
	}
}

void frec__perf_format(struct frec_text *text, const struct frec_perf_source *source,
		       const Flightrec__Source *from)
{
	frec__text_puts(text, "name: ");
	frec__identifier(text, from->name);
	frec__text_printf(text, "\nID: %u\nformat:\n", source->id);
	frec__text_puts(
		text, "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
		      "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
		      "\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
		      "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n");
	for (size_t i = 0; i < from->n_field; i++) {
		if (source->fields[i].count)
			add_declaration(text, &source->fields[i], from, i);
	}
	frec__text_puts(text, "\nprint fmt: \"");
	for (size_t i = 0, any = 0; i < from->n_field; i++) {
		if (!source->fields[i].count)
			continue;
		frec__text_puts(text, any++ ? " " : "");
		frec__field_identifier(text, from, i);
		frec__text_printf(text, "=%s", conversion(&source->fields[i], from->field[i]));
	}
	frec__text_puts(text, "\"");
	for (size_t i = 0; i < from->n_field; i++) {
		if (source->fields[i].count)
			add_argument(text, &source->fields[i], from, i);
	}
	frec__text_puts(text, "\n");
}

static void set(struct frec_text *bytes, size_t at, uint64_t value)
{
	if (!bytes->failed)
		memcpy(bytes->data + at, &value, sizeof(value));
}

static uint64_t bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

// Adds text or bytes after the fixed part. Returns where they are: the offset in the low 16 bits,
// and the size in the 16 bits above.
static uint64_t add_elsewhere(struct frec_text *bytes, size_t start, const struct frec_value *value,
			      bool text)
{
	size_t at = bytes->size, end = start + PAYLOAD_MAX;

	if (text) {
		frec__text_plain(bytes, value->data, value->size);
		frec__text_puts(bytes, value->cut ? "…" : "");
	} else {
		frec__text_add(bytes, value->data, value->size);
	}
	// Cut what does not fit into a sample.
	if (bytes->size > end - 1)
		bytes->size = end - 1 > at ? end - 1 : at;
	if (text)
		frec__text_add(bytes, "", 1);
	return (at - start) | (bytes->size - at) << 16;
}

static void add_value(struct frec_text *bytes, size_t start, const struct frec_perf_field *field,
		      const struct frec_value *value)
{
	size_t at = start + field->offset;

	switch (field->type) {
	case FREC_FIELD_INTEGER:
		set(bytes, at, value->kind == FREC_VALUE_INVALID ? 0 : value->u);
		break;
	case FREC_FIELD_FLOAT:
		set(bytes, at, value->kind == FREC_VALUE_INVALID ? 0 : bits_of(value->d));
		break;
	case FREC_FIELD_TEXT:
	case FREC_FIELD_BYTES:
		set(bytes, at, add_elsewhere(bytes, start, value, field->type == FREC_FIELD_TEXT));
		break;
	case FREC_FIELD_ARRAY:
		for (uint32_t i = 0; value->kind == FREC_VALUE_ARRAY && i < field->count; i++) {
			struct frec_value element;

			if (frec__value_element(value, i, &element))
				set(bytes, at + 8 * i, element.u);
		}
		break;
	}
}

void frec__perf_payload(struct frec_text *bytes, const struct frec_perf_source *source,
			const struct frec_event *event)
{
	static const uint8_t zeroes[FIXED_MAX];
	const struct frec_record *record = event->record;
	size_t start = bytes->size;
	uint64_t common = source->id | (uint64_t)record->tid << 32;

	frec__text_add(bytes, zeroes, source->fixed_size);
	set(bytes, start, common);
	for (size_t i = 0; i < event->source->n_field; i++) {
		if (source->fields[i].count)
			add_value(bytes, start, &source->fields[i], &event->values[i]);
	}
}
