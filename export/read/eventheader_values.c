// SPDX-License-Identifier: MIT
// Decodes the values of an EventHeader payload, one after the other, as the description says.
// Bytes, UTF-8 texts and little-endian arrays of integers stay in the payload. Other values are put
// into scratch memory, converted if their byte order, their characters or their type requires it.
#include "export/read/eventheader_values.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "export/read/text_values.h"

// JSON text can become much longer than the payload that it is made from, so it is cut at about
// this size.
#define JSON_MAX (256u << 10)

struct walk {
	const struct frec_eventheader_layout *layout;
	const Flightrec__Source *source;
	struct frec_bytes data;
	bool big;
	struct frec_text *scratch;
	struct frec_value *values;
	/* a bit for each value whose `data` is an offset in `scratch` */
	uint64_t in_scratch[FREC_EVENTHEADER_FIELDS_MAX / 64];
};

// Scratch memory moves while it grows, so a value holds an offset, not a pointer, until
// resolve_offsets().
static void point_into_scratch(struct walk *walk, struct frec_value *value, size_t offset)
{
	size_t slot = (size_t)(value - walk->values);

	walk->in_scratch[slot / 64] |= UINT64_C(1) << slot % 64;
	value->data = (const uint8_t *)(uintptr_t)offset;
	value->size = walk->scratch->size - offset;
}

static void resolve_offsets(struct walk *walk, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!(walk->in_scratch[i / 64] >> i % 64 & 1))
			continue;
		if (walk->scratch->failed || !walk->scratch->data)
			walk->values[i] = (struct frec_value){.field = walk->values[i].field};
		else
			walk->values[i].data = (const uint8_t *)walk->scratch->data +
					       (uintptr_t)walk->values[i].data;
	}
}

static void add_character(struct frec_text *text, uint32_t code)
{
	uint8_t bytes[4];
	size_t size = 0;

	if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		code = 0xfffd; // REPLACEMENT CHARACTER
	if (code < 0x80) {
		bytes[size++] = (uint8_t)code;
	} else if (code < 0x800) {
		bytes[size++] = (uint8_t)(0xc0 | code >> 6);
		bytes[size++] = (uint8_t)(0x80 | (code & 0x3f));
	} else {
		if (code < 0x10000) {
			bytes[size++] = (uint8_t)(0xe0 | code >> 12);
		} else {
			bytes[size++] = (uint8_t)(0xf0 | code >> 18);
			bytes[size++] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
		}
		bytes[size++] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
		bytes[size++] = (uint8_t)(0x80 | (code & 0x3f));
	}
	frec__text_add(text, bytes, size);
}

// Converts characters of 1 (ISO 8859-1), 2 or 4 bytes to UTF-8, up to the first that is 0.
static void add_characters(struct frec_text *text, const uint8_t *data, size_t size, size_t each,
			   bool big)
{
	for (size_t i = 0; i + each <= size; i += each) {
		uint32_t code = (uint32_t)frec__eventheader_number(data + i, each, big), low;

		if (!code)
			return;
		if (each == 2 && code >= 0xd800 && code < 0xdc00 && i + 4 <= size) {
			low = (uint32_t)frec__eventheader_number(data + i + 2, 2, big);
			if (low >= 0xdc00 && low < 0xe000) {
				code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
				i += 2;
			}
		}
		add_character(text, code);
	}
}

static bool has_bom(uint8_t format)
{
	return format == FREC_EH_UTF_BOM || format == FREC_EH_XML || format == FREC_EH_JSON;
}

// Skips a byte order mark, and takes the size and byte order of the characters from it.
static void skip_bom(const uint8_t **data, size_t *size, size_t *each, bool *big)
{
	static const struct {
		uint8_t bytes[4];
		uint8_t size, each;
		bool big;
	} marks[] = {{{0xff, 0xfe, 0, 0}, 4, 4, false},
		     {{0, 0, 0xfe, 0xff}, 4, 4, true},
		     {{0xef, 0xbb, 0xbf}, 3, 1, false},
		     {{0xff, 0xfe}, 2, 2, false},
		     {{0xfe, 0xff}, 2, 2, true}};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		// The mark must be one for characters of the size that the encoding gives. A text
		// that is encoded as single bytes can have characters of any size.
		if ((*each != 1 && marks[i].each != *each) || *size < marks[i].size ||
		    memcmp(*data, marks[i].bytes, marks[i].size))
			continue;
		*data += marks[i].size;
		*size -= marks[i].size;
		*each = marks[i].each;
		*big = marks[i].big;
		return;
	}
}

void frec__eventheader_uuid(const uint8_t *b, char ret[37])
{
	snprintf(ret, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
}

static void add_time(struct frec_text *text, int64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm date;

	// Many programs that read dates accept only the years from 1 to 9999.
	if (gmtime_r(&time, &date) && date.tm_year >= 1 - 1900 && date.tm_year <= 9999 - 1900)
		frec__text_printf(text, "%04d-%02d-%02dT%02d:%02d:%02dZ", date.tm_year + 1900,
				  date.tm_mon + 1, date.tm_mday, date.tm_hour, date.tm_min,
				  date.tm_sec);
	else
		frec__text_printf(text, "%" PRId64, seconds);
}

// One value as it lies in the payload.
struct raw {
	const uint8_t *data;
	size_t size; /* bytes */
	size_t each; /* bytes per character */
	uint8_t format;
};

// Finds the bytes of the next value. Returns false if the payload is too short.
static bool parse_raw(struct walk *walk, const struct frec_eventheader_node *node, struct raw *ret)
{
	static const uint8_t fixed[FREC_EH_ENCODINGS] = {[FREC_EH_VALUE8] = 1,
							 [FREC_EH_VALUE16] = 2,
							 [FREC_EH_VALUE32] = 4,
							 [FREC_EH_VALUE64] = 8,
							 [FREC_EH_VALUE128] = 16};
	static const uint8_t characters[FREC_EH_ENCODINGS] = {
		[FREC_EH_ZSTRING8] = 1, [FREC_EH_ZSTRING16] = 2, [FREC_EH_ZSTRING32] = 4,
		[FREC_EH_STRING8] = 1,	[FREC_EH_STRING16] = 2,	 [FREC_EH_STRING32] = 4,
		[FREC_EH_BINARY] = 1};
	size_t size = fixed[node->encoding], each = characters[node->encoding];
	const uint8_t *count;

	*ret = (struct raw){.each = each ? each : size, .format = node->format, .size = size};
	if (node->encoding >= FREC_EH_STRING8) {
		count = frec__bytes_take(&walk->data, 2);
		ret->size = count ? frec__eventheader_number(count, 2, walk->big) * each : 0;
	} else if (each) {
		size_t left = frec__bytes_left(&walk->data);

		while (ret->size + each <= left &&
		       frec__eventheader_number(walk->data.at + ret->size, each, false))
			ret->size += each;
		ret->data = frec__bytes_take(&walk->data, ret->size);
		frec__bytes_take(&walk->data, each);
		return !walk->data.failed;
	}
	ret->data = frec__bytes_take(&walk->data, ret->size);
	return ret->data;
}

static bool is_number_size(size_t size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static void set_text(struct walk *walk, struct frec_value *value, const struct raw *raw)
{
	const uint8_t *data = raw->data;
	size_t size = raw->size, each = raw->each, offset = walk->scratch->size;
	bool big = walk->big, plain = raw->format != FREC_EH_LATIN1;

	value->kind = FREC_VALUE_TEXT;
	if (has_bom(raw->format))
		skip_bom(&data, &size, &each, &big);
	if (each == 1 && plain) {
		value->data = data;
		value->size = size ? strnlen((const char *)data, size) : 0;
		return;
	}
	add_characters(walk->scratch, data, size, each, big);
	point_into_scratch(walk, value, offset);
}

static void set_made_text(struct walk *walk, struct frec_value *value, const struct raw *raw)
{
	size_t offset = walk->scratch->size;
	char text[INET6_ADDRSTRLEN > 37 ? INET6_ADDRSTRLEN : 37];

	value->kind = FREC_VALUE_TEXT;
	if (raw->format == FREC_EH_TIME && (raw->size == 4 || raw->size == 8)) {
		uint64_t seconds = frec__eventheader_number(raw->data, raw->size, walk->big);

		add_time(walk->scratch, raw->size == 4 ? (int32_t)seconds : (int64_t)seconds);
	} else if (raw->format == FREC_EH_UUID && raw->size == 16) {
		frec__eventheader_uuid(raw->data, text);
		frec__text_puts(walk->scratch, text);
	} else if (raw->format == FREC_EH_IP && (raw->size == 4 || raw->size == 16)) {
		inet_ntop(raw->size == 4 ? AF_INET : AF_INET6, raw->data, text, sizeof(text));
		frec__text_puts(walk->scratch, text);
	} else {
		frec__text_hex(walk->scratch, raw->data, raw->size);
	}
	point_into_scratch(walk, value, offset);
}

// Sets the value to a number, and also stores the number as little-endian bytes of the field's
// size, because some export formats copy those bytes. The value stays invalid if the payload gives
// a size that no number has, or that is larger than the field.
static void set_number(struct walk *walk, struct frec_value *value, const struct raw *raw)
{
	size_t size = value->field->size, offset = walk->scratch->size;
	bool big = raw->format == FREC_EH_PORT || walk->big;

	if (!is_number_size(raw->size) || size < raw->size)
		return;
	value->u = frec__eventheader_number(raw->data, raw->size, big);
	switch (raw->format) {
	case FREC_EH_SIGNED:
	case FREC_EH_PID:
	case FREC_EH_ERRNO:
		value->i = (int64_t)(value->u << (64 - 8 * raw->size)) >> (64 - 8 * raw->size);
		value->kind = raw->format == FREC_EH_ERRNO ? FREC_VALUE_ENUM : FREC_VALUE_SIGNED;
		for (size_t i = 0; i < value->field->n_enumerator; i++) {
			if (value->field->enumerator[i]->value == value->i)
				value->name = value->field->enumerator[i]->name;
		}
		break;
	case FREC_EH_HEX:
		value->kind = FREC_VALUE_POINTER;
		break;
	case FREC_EH_BOOLEAN:
		value->kind = FREC_VALUE_BOOL;
		value->u = value->u != 0;
		break;
	default:
		value->kind = FREC_VALUE_UNSIGNED;
	}
	frec__text_add(walk->scratch, &value->u, size);
	point_into_scratch(walk, value, offset);
}

static void set_float(struct walk *walk, struct frec_value *value, const struct raw *raw)
{
	uint64_t bits;
	size_t offset = walk->scratch->size;
	float single;

	if ((raw->size != 4 && raw->size != 8) || value->field->size < raw->size)
		return;
	bits = frec__eventheader_number(raw->data, raw->size, walk->big);
	if (raw->size == 4) {
		memcpy(&single, &bits, sizeof(single));
		value->d = (double)single;
		value->kind = FREC_VALUE_FLOAT;
	} else {
		memcpy(&value->d, &bits, sizeof(bits));
		value->kind = FREC_VALUE_DOUBLE;
	}
	if (value->field->size == 8)
		memcpy(&bits, &value->d, sizeof(bits));
	frec__text_add(walk->scratch, &bits, value->field->size);
	point_into_scratch(walk, value, offset);
}

// Sets the value of a field. It is FREC_VALUE_INVALID before this call, and stays so if the bytes
// cannot be decoded.
static void set_value(struct walk *walk, struct frec_value *value, const struct raw *raw)
{
	switch (raw->format) {
	case FREC_EH_UNSIGNED:
	case FREC_EH_SIGNED:
	case FREC_EH_HEX:
	case FREC_EH_ERRNO:
	case FREC_EH_PID:
	case FREC_EH_BOOLEAN:
	case FREC_EH_PORT:
		set_number(walk, value, raw);
		break;
	case FREC_EH_FLOAT:
		set_float(walk, value, raw);
		break;
	case FREC_EH_HEX_BYTES:
		value->kind = FREC_VALUE_BYTES;
		value->data = raw->data;
		value->size = raw->size;
		break;
	case FREC_EH_TIME:
	case FREC_EH_UUID:
	case FREC_EH_IP:
		// A length of 0 means that there is no value.
		if (raw->size)
			set_made_text(walk, value, raw);
		break;
	default:
		set_text(walk, value, raw);
	}
}

static size_t array_length(struct walk *walk, const struct frec_eventheader_node *node)
{
	const uint8_t *length;

	if (!node->array)
		return 1;
	if (!node->variable)
		return node->length;
	length = frec__bytes_take(&walk->data, 2);
	return length ? frec__eventheader_number(length, 2, walk->big) : 0;
}

static void add_json(struct walk *walk, struct frec_text *json,
		     const struct frec_eventheader_node *node);

// Adds one value as JSON, as if it were a field of its own.
static void add_json_value(struct walk *walk, struct frec_text *json,
			   const struct frec_eventheader_node *node)
{
	static const Flightrec__Field any = {.size = 8};
	struct frec_text scratch = {0};
	struct frec_value value = {.field = &any};
	struct walk alone = {.big = walk->big, .scratch = &scratch, .values = &value};
	const struct frec_eventheader_node *nodes = walk->layout->nodes;
	size_t at = (size_t)(node - nodes) + 1;
	struct raw raw;

	if (node->encoding != FREC_EH_STRUCT) {
		if (parse_raw(walk, node, &raw))
			set_value(&alone, &value, &raw);
		resolve_offsets(&alone, 1);
		frec__text_json_value(json, &value);
		frec__text_free(&scratch);
		return;
	}
	frec__text_puts(json, "{");
	for (uint8_t i = 0; i < node->members; i++, at = nodes[at].next) {
		frec__text_puts(json, i ? "," : "");
		frec__text_json_puts(json, nodes[at].name);
		frec__text_puts(json, ":");
		add_json(walk, json, &nodes[at]);
	}
	frec__text_puts(json, "}");
}

static void add_json(struct walk *walk, struct frec_text *json,
		     const struct frec_eventheader_node *node)
{
	size_t length = array_length(walk, node);

	if (!node->array) {
		add_json_value(walk, json, node);
		return;
	}
	frec__text_puts(json, "[");
	for (size_t i = 0; i < length && !walk->data.failed && json->size < JSON_MAX; i++) {
		frec__text_puts(json, i ? "," : "");
		add_json_value(walk, json, node);
	}
	frec__text_puts(json, "]");
}

static void set_json(struct walk *walk, struct frec_value *value,
		     const struct frec_eventheader_node *node)
{
	size_t offset = walk->scratch->size;
	struct frec_text json = {0};

	add_json(walk, &json, node);
	if (!walk->data.failed && !json.failed) {
		value->kind = FREC_VALUE_TEXT;
		value->cut = json.size >= JSON_MAX;
		frec__text_add(walk->scratch, json.data, json.size);
		point_into_scratch(walk, value, offset);
	}
	frec__text_free(&json);
}

static void set_array(struct walk *walk, struct frec_value *value,
		      const struct frec_eventheader_node *node)
{
	size_t each = value->field->element_size, length = array_length(walk, node),
	       offset = walk->scratch->size;
	const uint8_t *data = frec__bytes_array(&walk->data, length, each);

	if (walk->data.failed)
		return;
	value->kind = FREC_VALUE_ARRAY;
	if (!walk->big) {
		value->data = data;
		value->size = length * each;
		return;
	}
	for (size_t i = 0; i < length; i++) {
		uint64_t element = frec__eventheader_number(data + i * each, each, true);

		frec__text_add(walk->scratch, &element, each);
	}
	point_into_scratch(walk, value, offset);
}

static void set_constant(struct walk *walk, size_t *slot, uint64_t number)
{
	struct frec_value *value = &walk->values[*slot];
	size_t offset = walk->scratch->size;

	value->u = number;
	value->kind = FREC_VALUE_UNSIGNED;
	if (value->field->kind == FLIGHTREC__FIELD_KIND__FIELD_POINTER)
		value->kind = FREC_VALUE_POINTER;
	if (value->field->kind == FLIGHTREC__FIELD_KIND__FIELD_ENUM)
		value->kind = FREC_VALUE_ENUM;
	for (size_t i = 0; i < value->field->n_enumerator; i++) {
		if (value->field->enumerator[i]->value == value->i)
			value->name = value->field->enumerator[i]->name;
	}
	frec__text_add(walk->scratch, &number, value->field->size);
	point_into_scratch(walk, value, offset);
	++*slot;
}

static void set_activity(struct walk *walk, size_t *slot, const uint8_t *activity)
{
	const struct raw raw = {.data = activity, .size = 16, .format = FREC_EH_UUID};

	if (activity)
		set_made_text(walk, &walk->values[*slot], &raw);
	++*slot;
}

// Sets the fields of the header, in the order in which eventheader_layout.c added them.
static void set_header_fields(struct walk *walk, const struct frec_eventheader_head *head)
{
	const struct frec_eventheader_layout *layout = walk->layout;
	size_t slot = layout->slots;

	set_constant(walk, &slot, layout->head.level);
	if (layout->keyword)
		set_constant(walk, &slot, layout->keyword);
	if (layout->head.opcode)
		set_constant(walk, &slot, layout->head.opcode);
	if (layout->head.id) {
		set_constant(walk, &slot, layout->head.id);
		set_constant(walk, &slot, layout->head.version);
	}
	if (layout->head.tag)
		set_constant(walk, &slot, layout->head.tag);
	if (layout->has_activity)
		set_activity(walk, &slot, head->activity);
	if (layout->has_related)
		set_activity(walk, &slot, head->related);
}

bool frec__eventheader_values(const struct frec_eventheader_layout *layout,
			      const Flightrec__Source *source,
			      const struct frec_eventheader_head *head, struct frec_text *scratch,
			      struct frec_value *values)
{
	struct walk walk = {.layout = layout,
			    .source = source,
			    .data = head->data,
			    .big = frec__eventheader_big(layout->head.flags),
			    .scratch = scratch,
			    .values = values};

	frec__text_clear(scratch);
	for (size_t i = 0; i < source->n_field; i++)
		values[i] =
			(struct frec_value){.kind = FREC_VALUE_INVALID, .field = source->field[i]};
	for (size_t i = 0; i < layout->node_count && !walk.data.failed;) {
		const struct frec_eventheader_node *node = &layout->nodes[i];
		struct frec_value *value =
			node->slot == FREC_EH_NO_SLOT ? NULL : &values[node->slot];
		struct raw raw;

		if (!value) { // a struct: its members are the next nodes
			i++;
			continue;
		}
		if (value->field->kind == FLIGHTREC__FIELD_KIND__FIELD_ARRAY)
			set_array(&walk, value, node);
		else if (node->array)
			set_json(&walk, value, node);
		else if (parse_raw(&walk, node, &raw))
			set_value(&walk, value, &raw);
		i = node->next;
	}
	set_header_fields(&walk, head);
	resolve_offsets(&walk, source->n_field);
	return !walk.data.failed;
}
