// SPDX-License-Identifier: MIT
// Attributes, with keys of the form PROVIDER.FIELD and values of every kind.
#include "export/otlp/values.h"
#include "export/read/fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool frec__otlp_attributes(struct frec_arena *arena, struct frec_otlp_attributes *ret, size_t room)
{
	*ret = (struct frec_otlp_attributes){
		.items = frec__arena_array(arena, room, sizeof(*ret->items)), .room = room};
	return ret->items;
}

Otlp__AnyValue *frec__otlp_add(struct frec_arena *arena, struct frec_otlp_attributes *attributes,
			       char *key)
{
	struct {
		Otlp__KeyValue attribute;
		Otlp__AnyValue value;
	} *pair = frec__arena_alloc(arena, sizeof(*pair));

	if (!pair || attributes->count == attributes->room)
		return NULL;
	otlp__key_value__init(&pair->attribute);
	otlp__any_value__init(&pair->value);
	pair->attribute.key = key;
	pair->attribute.value = &pair->value;
	attributes->items[attributes->count++] = &pair->attribute;
	return &pair->value;
}

void frec__otlp_set_string(Otlp__AnyValue *value, char *string)
{
	value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value->string_value = string;
}

static void set_integer(Otlp__AnyValue *value, int64_t integer)
{
	value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
	value->int_value = integer;
}

static void set_unsigned(struct frec_arena *arena, Otlp__AnyValue *value, uint64_t number)
{
	char digits[24];

	if (number <= INT64_MAX) {
		set_integer(value, (int64_t)number);
		return;
	}
	snprintf(digits, sizeof(digits), "%" PRIu64, number);
	frec__otlp_set_string(value, frec__arena_string(arena, digits));
}

static Otlp__ArrayValue *add_array(struct frec_arena *arena, Otlp__AnyValue *value, size_t count)
{
	Otlp__ArrayValue *array = frec__arena_alloc(arena, sizeof(*array));
	Otlp__AnyValue *elements = frec__arena_array(arena, count, sizeof(*elements));
	Otlp__AnyValue **pointers = frec__arena_array(arena, count, sizeof(*pointers));

	if (!array || !elements || !pointers)
		return NULL;
	otlp__array_value__init(array);
	for (size_t i = 0; i < count; i++) {
		otlp__any_value__init(&elements[i]);
		pointers[i] = &elements[i];
	}
	array->values = pointers;
	array->n_values = count;
	value->value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
	value->array_value = array;
	return array;
}

// Copies the bytes, because the record is gone when the batch is written.
static void set_bytes(struct frec_arena *arena, Otlp__AnyValue *ret, const struct frec_value *value)
{
	uint8_t *copy = frec__arena_alloc(arena, value->size);

	if (!copy)
		return;
	if (value->size)
		memcpy(copy, value->data, value->size);
	ret->value_case = OTLP__ANY_VALUE__VALUE_BYTES_VALUE;
	ret->bytes_value = (ProtobufCBinaryData){value->size, copy};
}

static void set_value(struct frec_arena *arena, Otlp__AnyValue *ret, const struct frec_value *value)
{
	Otlp__ArrayValue *array;

	switch (value->kind) {
	case FREC_VALUE_INVALID:
		break;
	case FREC_VALUE_UNSIGNED:
		set_unsigned(arena, ret, value->u);
		break;
	case FREC_VALUE_ENUM:
		if (value->name) {
			frec__otlp_set_string(ret, frec__arena_string(arena, value->name));
			break;
		}
		// fall through
	case FREC_VALUE_SIGNED:
		set_integer(ret, value->i);
		break;
	case FREC_VALUE_BOOL:
		ret->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
		ret->bool_value = value->u != 0;
		break;
	case FREC_VALUE_POINTER: {
		char digits[24];

		snprintf(digits, sizeof(digits), "0x%" PRIx64, value->u);
		frec__otlp_set_string(ret, frec__arena_string(arena, digits));
		break;
	}
	case FREC_VALUE_DOUBLE:
	case FREC_VALUE_FLOAT:
		ret->value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
		ret->double_value = value->d;
		break;
	case FREC_VALUE_TEXT:
		frec__otlp_set_string(ret, frec__arena_utf8(arena, value->data, value->size, ""));
		break;
	case FREC_VALUE_BYTES:
		set_bytes(arena, ret, value);
		break;
	case FREC_VALUE_ARRAY:
		array = add_array(arena, ret, frec__value_elements(value));
		for (size_t i = 0; array && i < array->n_values; i++) {
			struct frec_value element;

			if (!frec__value_element(value, i, &element))
				break;
			set_value(arena, array->values[i], &element);
		}
		break;
	}
}

void frec__otlp_add_text(struct frec_arena *arena, struct frec_otlp_attributes *attributes,
			 char *key, const void *data, size_t size)
{
	Otlp__AnyValue *value = frec__otlp_add(arena, attributes, key);

	if (value)
		frec__otlp_set_string(value, frec__arena_utf8(arena, data, size, ""));
}

void frec__otlp_add_integer(struct frec_arena *arena, struct frec_otlp_attributes *attributes,
			    char *key, int64_t number)
{
	Otlp__AnyValue *value = frec__otlp_add(arena, attributes, key);

	if (value)
		set_integer(value, number);
}

ProtobufCBinaryData frec__otlp_id(struct frec_arena *arena, const uint8_t *id, size_t size)
{
	uint8_t any = 0, *copy;

	for (size_t i = 0; i < size; i++)
		any |= id[i];
	copy = any ? frec__arena_alloc(arena, size) : NULL;
	if (!copy)
		return (ProtobufCBinaryData){0};
	memcpy(copy, id, size);
	return (ProtobufCBinaryData){size, copy};
}

char *frec__otlp_qualified(struct frec_arena *arena, const char *first, const char *second)
{
	char name[512];

	snprintf(name, sizeof(name), "%s.%s", first, second);
	return frec__arena_string(arena, name);
}

static void add_truncated(struct frec_arena *arena, struct frec_otlp_attributes *attributes,
			  const struct frec_otlp_field *fields, size_t count)
{
	Otlp__AnyValue *value;
	Otlp__ArrayValue *names;
	size_t truncated = 0;

	for (size_t i = 0; i < count; i++)
		truncated += fields[i].value->cut;
	if (!truncated)
		return;
	value = frec__otlp_add(arena, attributes, "flightrec.truncated");
	names = value ? add_array(arena, value, truncated) : NULL;
	truncated = 0;
	for (size_t i = 0; names && i < count; i++) {
		if (fields[i].value->cut)
			frec__otlp_set_string(
				names->values[truncated++],
				frec__arena_string(arena, fields[i].value->field->name));
	}
}

void frec__otlp_add_fields(struct frec_arena *arena, struct frec_otlp_attributes *attributes,
			   const struct frec_otlp_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		Otlp__AnyValue *value = frec__otlp_add(arena, attributes, fields[i].key);

		if (value)
			set_value(arena, value, fields[i].value);
	}
	add_truncated(arena, attributes, fields, count);
}

void frec__otlp_add_process(struct frec_arena *arena, struct frec_otlp_attributes *attributes,
			    const struct frec_process_entry *who, uint32_t pid)
{
	if (pid != FREC_UNKNOWN)
		frec__otlp_add_integer(arena, attributes, "process.pid", pid);
	if (who && who->process->name.len)
		frec__otlp_add_text(arena, attributes, "process.executable.name",
				    who->process->name.data, who->process->name.len);
}

void frec__otlp_add_thread(struct frec_arena *arena, struct frec_otlp_attributes *attributes,
			   const struct frec_process_entry *who, uint32_t tid)
{
	ProtobufCBinaryData name = frec__process_entry_thread_name(who);

	if (tid != FREC_UNKNOWN)
		frec__otlp_add_integer(arena, attributes, "thread.id", tid);
	if (name.len)
		frec__otlp_add_text(arena, attributes, "thread.name", name.data, name.len);
}

void frec__otlp_add_host(struct frec_arena *arena, struct frec_otlp_attributes *attributes,
			 const struct frec_host *host)
{
	const Flightrec__Header *header = host->snapshot->header;

	frec__otlp_add_text(arena, attributes, "os.type", "linux", 5);
	frec__otlp_add_text(arena, attributes, "host.arch", header->machine,
			    strlen(header->machine));
	if (!header->host)
		return;
	frec__otlp_add_text(arena, attributes, "host.name", header->host->hostname.data,
			    header->host->hostname.len);
	frec__otlp_add_text(arena, attributes, "os.version", header->host->kernel_release,
			    strlen(header->host->kernel_release));
}

static bool has_attribute(const struct frec_otlp_attributes *attributes, const char *key)
{
	for (size_t i = 0; i < attributes->count; i++) {
		if (!strcmp(attributes->items[i]->key, key))
			return true;
	}
	return false;
}

void frec__otlp_add_tags(struct frec_arena *arena, struct frec_otlp_attributes *attributes,
			 Flightrec__Pair *const *pairs, size_t count)
{
	const Flightrec__Pair *pair;
	size_t at = 0;

	while ((pair = frec__pairs_next(pairs, count, &at))) {
		char *key = frec__arena_string(arena, pair->key);

		if (!has_attribute(attributes, key))
			frec__otlp_add_text(arena, attributes, key, pair->value.data,
					    pair->value.len);
	}
}

Otlp__InstrumentationScope *frec__otlp_scope(struct frec_arena *arena, const struct frec_host *host)
{
	Otlp__InstrumentationScope *scope = frec__arena_alloc(arena, sizeof(*scope));

	if (!scope)
		return NULL;
	otlp__instrumentation_scope__init(scope);
	scope->name = "flightrec";
	scope->version = frec__arena_string(arena, host->snapshot->header->writer);
	return scope;
}
