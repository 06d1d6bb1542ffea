// SPDX-License-Identifier: MIT
// Makes a source, like those that a file has, from the description in a payload. Members of structs
// become fields with dots in their names. An array of structs, whose length can differ from event
// to event, becomes one field, of JSON text, and so does any array whose elements are not integers.
// Fields for what the header says about the event (such as level, opcode and activity) follow the
// event's own.
#include "export/read/eventheader_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/cleanup.h"

#define NODES_MAX 1024
#define DEPTH_MAX 8
#define NAME_MAX_SIZE 256
#define FORMAT_MASK 0x7f
#define ERRNO_MAX 133

#define KIND(kind) FLIGHTREC__FIELD_KIND__FIELD_##kind

// Returns whether a value of this encoding can have this format. If not, the encoding's default
// format is used.
static bool fits(uint8_t encoding, uint8_t format)
{
	uint32_t bit = format <= FREC_EH_IP_OLD ? 1u << format : 0;
	const uint32_t numbers = 1u << FREC_EH_UNSIGNED | 1u << FREC_EH_SIGNED | 1u << FREC_EH_HEX,
		       bytes = 1u << FREC_EH_HEX_BYTES,
		       ip = 1u << FREC_EH_IP | 1u << FREC_EH_IP_OLD,
		       text = 1u << FREC_EH_UTF | 1u << FREC_EH_UTF_BOM | 1u << FREC_EH_XML |
			      1u << FREC_EH_JSON;

	switch (encoding) {
	case FREC_EH_VALUE8:
		return bit & (numbers | bytes | 1u << FREC_EH_BOOLEAN | 1u << FREC_EH_LATIN1);
	case FREC_EH_VALUE16:
		return bit & (numbers | bytes | 1u << FREC_EH_BOOLEAN | 1u << FREC_EH_UTF |
			      1u << FREC_EH_PORT);
	case FREC_EH_VALUE32:
		return bit & (numbers | bytes | ip | 1u << FREC_EH_ERRNO | 1u << FREC_EH_PID |
			      1u << FREC_EH_TIME | 1u << FREC_EH_BOOLEAN | 1u << FREC_EH_FLOAT |
			      1u << FREC_EH_UTF);
	case FREC_EH_VALUE64:
		return bit & (numbers | bytes | 1u << FREC_EH_TIME | 1u << FREC_EH_FLOAT);
	case FREC_EH_VALUE128:
		return bit & (bytes | ip | 1u << FREC_EH_UUID);
	case FREC_EH_ZSTRING8:
		return bit & (bytes | text | 1u << FREC_EH_LATIN1);
	case FREC_EH_STRING8:
	case FREC_EH_BINARY:
		return bit > 1;
	default:
		return bit & (bytes | text);
	}
}

static uint8_t default_format(uint8_t encoding)
{
	switch (encoding) {
	case FREC_EH_VALUE8:
	case FREC_EH_VALUE16:
	case FREC_EH_VALUE32:
	case FREC_EH_VALUE64:
		return FREC_EH_UNSIGNED;
	case FREC_EH_VALUE128:
	case FREC_EH_BINARY:
		return FREC_EH_HEX_BYTES;
	default:
		return FREC_EH_UTF;
	}
}

// Returns a copy of the field's name without the attributes that follow it, or NULL if memory runs
// out. `prefix`, with a dot after it, is put before the name: it is the name of the struct that the
// field is a member of, or NULL.
static char *copy_name(const char *name, const char *prefix)
{
	size_t size = strcspn(name, ";");
	char joined[NAME_MAX_SIZE];

	snprintf(joined, sizeof(joined), "%s%s%.*s", prefix ? prefix : "", prefix ? "." : "",
		 (int)(size < NAME_MAX_SIZE ? size : NAME_MAX_SIZE), name);
	return strdup(joined);
}

static bool parse_node(struct frec_eventheader_layout *layout, struct frec_bytes *bytes,
		       const char *prefix)
{
	bool big = frec__eventheader_big(layout->head.flags);
	struct frec_eventheader_node *node = &layout->nodes[layout->node_count];
	const char *name = frec__bytes_text(bytes);
	uint8_t encoding = (uint8_t)frec__bytes_number(bytes, 1), format = 0;
	const uint8_t *length;

	if (encoding & FREC_EH_CHAIN)
		format = (uint8_t)frec__bytes_number(bytes, 1);
	if (format & FREC_EH_CHAIN)
		frec__bytes_take(bytes, 2); // a tag, which only the provider understands
	*node = (struct frec_eventheader_node){
		.encoding = encoding & FREC_EH_ENCODING_MASK,
		.format = format & FORMAT_MASK,
		.array = encoding & (FREC_EH_FIXED_ARRAY | FREC_EH_VARIABLE_ARRAY),
		.variable = encoding & FREC_EH_VARIABLE_ARRAY,
		.slot = FREC_EH_NO_SLOT};
	if (encoding & FREC_EH_FIXED_ARRAY) {
		length = frec__bytes_take(bytes, 2);
		node->length = length ? (uint16_t)frec__eventheader_number(length, 2, big) : 0;
		if (!node->length || node->variable)
			return false;
	}
	if (bytes->failed || !node->encoding || node->encoding >= FREC_EH_ENCODINGS)
		return false;
	if (node->encoding == FREC_EH_STRUCT) {
		node->members = node->format;
		if (!node->members)
			return false;
	} else if (!fits(node->encoding, node->format)) {
		node->format = default_format(node->encoding);
	}
	if (node->format == FREC_EH_IP_OLD)
		node->format = FREC_EH_IP;
	node->name = copy_name(name, prefix);
	layout->node_count += node->name != NULL;
	return node->name;
}

// Parses the next field and, if it is a struct, its members. `slots` is false inside an array of
// structs, where members do not become fields of the source. Returns false if the description is
// malformed or memory runs out.
static bool parse_field(struct frec_eventheader_layout *layout, struct frec_bytes *bytes,
			const char *prefix, bool slots, int depth)
{
	size_t at = layout->node_count;
	struct frec_eventheader_node *node = &layout->nodes[at];

	if (at == NODES_MAX || depth > DEPTH_MAX || !parse_node(layout, bytes, prefix))
		return false;
	if (slots && (node->array || node->encoding != FREC_EH_STRUCT))
		node->slot = layout->slots++;
	slots = slots && node->slot == FREC_EH_NO_SLOT;
	for (uint8_t i = 0; node->encoding == FREC_EH_STRUCT && i < node->members; i++) {
		// A struct also ends where the description ends.
		if (!frec__bytes_left(bytes))
			node->members = i;
		else if (!parse_field(layout, bytes, slots ? node->name : NULL, slots, depth + 1))
			return false;
	}
	node->next = layout->node_count;
	return true;
}

// Returns the type of the source's field that a node becomes.
struct shape {
	Flightrec__FieldKind kind;
	uint32_t size, element_size;
	bool element_signed;
};

static struct shape text_shape(Flightrec__FieldKind kind)
{
	return (struct shape){.kind = kind, .size = 4};
}

static struct shape shape_of(const struct frec_eventheader_node *node)
{
	static const uint8_t sizes[FREC_EH_ENCODINGS] = {[FREC_EH_VALUE8] = 1,
							 [FREC_EH_VALUE16] = 2,
							 [FREC_EH_VALUE32] = 4,
							 [FREC_EH_VALUE64] = 8};
	// If the payload gives the size, the field has space for the largest number.
	uint32_t size = sizes[node->encoding] ? sizes[node->encoding] : 8;
	bool number = node->format == FREC_EH_UNSIGNED || node->format == FREC_EH_SIGNED ||
		      node->format == FREC_EH_HEX || node->format == FREC_EH_PID ||
		      node->format == FREC_EH_ERRNO;
	bool is_signed = node->format == FREC_EH_SIGNED || node->format == FREC_EH_PID;

	if (node->encoding == FREC_EH_STRUCT)
		return text_shape(KIND(STRING));
	if (node->array) {
		if (!number || !sizes[node->encoding])
			return text_shape(KIND(STRING));
		return (struct shape){.kind = KIND(ARRAY),
				      .size = 4,
				      .element_size = size,
				      .element_signed = is_signed};
	}
	switch (node->format) {
	case FREC_EH_UNSIGNED:
		return (struct shape){.kind = KIND(UNSIGNED), .size = size};
	case FREC_EH_SIGNED:
	case FREC_EH_PID:
		return (struct shape){.kind = KIND(SIGNED), .size = size};
	case FREC_EH_HEX:
		return (struct shape){.kind = KIND(POINTER), .size = size};
	case FREC_EH_ERRNO:
		return (struct shape){.kind = KIND(ENUM), .size = size};
	case FREC_EH_BOOLEAN:
		return (struct shape){.kind = KIND(BOOL), .size = size};
	case FREC_EH_FLOAT:
		return (struct shape){.kind = KIND(FLOAT), .size = size};
	case FREC_EH_PORT:
		return (struct shape){.kind = KIND(UNSIGNED), .size = size};
	case FREC_EH_HEX_BYTES:
		return text_shape(KIND(BYTES));
	default:
		return text_shape(KIND(STRING));
	}
}

// Memory for the parts of a Source message, used until the message is packed.
struct maker {
	Flightrec__Field fields[FREC_EVENTHEADER_FIELDS_MAX];
	Flightrec__Field *pointers[FREC_EVENTHEADER_FIELDS_MAX];
	char names[FREC_EVENTHEADER_FIELDS_MAX][NAME_MAX_SIZE + 16];
	size_t count;
	Flightrec__Enumerator errors[ERRNO_MAX], levels[6], opcodes[1];
	Flightrec__Enumerator *error_pointers[ERRNO_MAX], *level_pointers[6], *opcode_pointers[1];
};

static void add_field(struct maker *maker, const char *name, struct shape shape)
{
	Flightrec__Field *field;
	char *own;

	if (maker->count == FREC_EVENTHEADER_FIELDS_MAX)
		return;
	field = &maker->fields[maker->count];
	own = maker->names[maker->count];
	snprintf(own, sizeof(maker->names[0]), "%s", *name ? name : "unnamed");
	// Names are keys in most formats, so a number is added to a name that another field has.
	for (size_t i = 0, number = maker->count + 1; i < maker->count; i++) {
		if (strcmp(maker->names[i], own))
			continue;
		snprintf(own, sizeof(maker->names[0]), "%.*s_%zu", NAME_MAX_SIZE,
			 *name ? name : "unnamed", number++);
		i = SIZE_MAX; // starts again, with the new name
	}
	flightrec__field__init(field);
	field->name = own;
	field->kind = shape.kind;
	field->size = shape.size;
	field->element_size = shape.element_size;
	field->element_signed = shape.element_signed;
	// No offset is set, because it differs from payload to payload. A locator says that the
	// data is elsewhere.
	if (shape.kind == KIND(STRING) || shape.kind == KIND(BYTES) || shape.kind == KIND(ARRAY))
		field->locator = FLIGHTREC__LOCATOR__LOCATOR_DATA;
	maker->pointers[maker->count++] = field;
}

static void name_values(Flightrec__Field *field, Flightrec__Enumerator *room,
			Flightrec__Enumerator **pointers, const char *const *names, size_t count,
			int64_t first)
{
	field->enumerator = pointers;
	field->n_enumerator = 0;
	for (size_t i = 0; i < count; i++) {
		if (!names[i])
			continue;
		flightrec__enumerator__init(&room[i]);
		room[i].value = first + (int64_t)i;
		room[i].name = (char *)names[i];
		pointers[field->n_enumerator++] = &room[i];
	}
}

static void name_errors(struct maker *maker, Flightrec__Field *field)
{
	const char *names[ERRNO_MAX];

	for (int error = 0; error < ERRNO_MAX; error++)
		names[error] = error ? strerrorname_np(error) : "0";
	name_values(field, maker->errors, maker->error_pointers, names, ERRNO_MAX, 0);
}

// Adds fields for the header and its extensions. eventheader_values.c sets them in this order.
static void add_header_fields(struct maker *maker, const struct frec_eventheader_layout *layout)
{
	static const char *const levels[] = {"critical", "error", "warning", "information",
					     "verbose"};
	static const char *const opcodes[] = {"start",		 "stop",      "collection_start",
					      "collection_stop", "extension", "reply",
					      "resume",		 "suspend",   "send"};
	const size_t opcode_count = sizeof(opcodes) / sizeof(opcodes[0]);
	const struct frec_eventheader_head *head = &layout->head;

	add_field(maker, "level", (struct shape){.kind = KIND(ENUM), .size = 1});
	name_values(maker->pointers[maker->count - 1], maker->levels, maker->level_pointers, levels,
		    5, 1);
	if (layout->keyword)
		add_field(maker, "keyword", (struct shape){.kind = KIND(POINTER), .size = 8});
	if (head->opcode) {
		add_field(maker, "opcode", (struct shape){.kind = KIND(ENUM), .size = 2});
		// All events of the source have this opcode, so no other opcode needs a name.
		if (head->opcode <= opcode_count)
			name_values(maker->pointers[maker->count - 1], maker->opcodes,
				    maker->opcode_pointers, &opcodes[head->opcode - 1], 1,
				    head->opcode);
	}
	if (head->id) {
		add_field(maker, "id", (struct shape){.kind = KIND(UNSIGNED), .size = 2});
		add_field(maker, "version", (struct shape){.kind = KIND(UNSIGNED), .size = 1});
	}
	if (head->tag)
		add_field(maker, "tag", (struct shape){.kind = KIND(POINTER), .size = 2});
	if (layout->has_activity)
		add_field(maker, "activity", text_shape(KIND(STRING)));
	if (layout->has_related)
		add_field(maker, "related_activity", text_shape(KIND(STRING)));
}

// Splits a name such as "MyProvider_L3K1f" into provider and keyword. Options in capitals may
// follow the keyword.
static void split_tracepoint(const Flightrec__Source *raw, char *provider, size_t room,
			     uint64_t *ret_keyword)
{
	const char *colon = strchr(raw->kernel_name, ':'),
		   *name = colon ? colon + 1 : raw->kernel_name;
	const char *end = NULL;

	*ret_keyword = 0;
	for (const char *p = strstr(name, "_L"); p; p = strstr(p + 1, "_L")) {
		size_t digits = strspn(p + 2, "0123456789abcdef");

		if (digits && p[2 + digits] == 'K') {
			end = p;
			*ret_keyword = strtoull(p + 3 + digits, NULL, 16);
		}
	}
	snprintf(provider, room, "%.*s", end ? (int)(end - name) : (int)strlen(name), name);
}

static Flightrec__Source *make_source(struct frec_eventheader_layout *layout,
				      const Flightrec__Source *raw, uint32_t id,
				      const char *event_name, struct maker *maker)
{
	Flightrec__Source source = FLIGHTREC__SOURCE__INIT;
	char provider[NAME_MAX_SIZE], name[NAME_MAX_SIZE];
	FREC_FREE uint8_t *packed = NULL;
	size_t size;

	split_tracepoint(raw, provider, sizeof(provider), &layout->keyword);
	if (*event_name)
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(event_name, ";"), event_name);
	else
		snprintf(name, sizeof(name), "event-%u", layout->head.id);
	for (size_t i = 0; i < layout->node_count; i++) {
		if (layout->nodes[i].slot == FREC_EH_NO_SLOT)
			continue;
		add_field(maker, layout->nodes[i].name, shape_of(&layout->nodes[i]));
		if (maker->fields[maker->count - 1].kind == KIND(ENUM))
			name_errors(maker, &maker->fields[maker->count - 1]);
	}
	add_header_fields(maker, layout);
	source.id = id;
	source.kind = FLIGHTREC__SOURCE_KIND__SOURCE_USER_EVENT;
	source.system = provider;
	source.name = name;
	source.kernel_name = raw->kernel_name;
	source.tracepoint_id = raw->tracepoint_id;
	source.n_field = maker->count;
	source.field = maker->pointers;
	source.sample_type = raw->sample_type;
	source.sample_regs_user = raw->sample_regs_user;
	source.since = raw->since;
	source.transport = raw->transport;
	source.unwound = raw->unwound;
	// Packing and unpacking makes a copy that is freed like the messages of the file.
	size = protobuf_c_message_get_packed_size(&source.base);
	packed = malloc(size);
	if (!packed)
		return NULL;
	flightrec__source__pack(&source, packed);
	return flightrec__source__unpack(NULL, size, packed);
}

Flightrec__Source *frec__eventheader_make_source(struct frec_eventheader_layout *layout,
						 const Flightrec__Source *raw, uint32_t id)
{
	struct frec_bytes bytes = frec__bytes(layout->head.metadata, layout->head.metadata_size);
	const char *name = frec__bytes_text(&bytes);
	Flightrec__Source *source = NULL;
	struct frec_eventheader_node *shrunk;
	FREC_FREE struct maker *maker = calloc(1, sizeof(*maker));
	bool whole;

	layout->nodes = calloc(NODES_MAX, sizeof(*layout->nodes));
	whole = name && layout->nodes && maker;
	while (whole && frec__bytes_left(&bytes))
		whole = parse_field(layout, &bytes, NULL, true, 0);
	// The header adds up to 8 fields.
	if (whole && layout->slots <= FREC_EVENTHEADER_FIELDS_MAX - 8)
		source = make_source(layout, raw, id, name, maker);
	shrunk = reallocarray(layout->nodes, layout->node_count + 1, sizeof(*layout->nodes));
	layout->nodes = shrunk ? shrunk : layout->nodes;
	return source;
}
