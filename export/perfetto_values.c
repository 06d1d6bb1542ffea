// SPDX-License-Identifier: MIT
// Debug annotations: the typed arguments of an event in Perfetto.
#include "export/perfetto.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

Perfetto__Protos__DebugAnnotation *frec__annotation_add(struct frec_arena *arena,
							struct frec_annotations *annotations,
							const char *name)
{
	Perfetto__Protos__DebugAnnotation *annotation =
		frec__arena_alloc(arena, sizeof(*annotation));

	if (!annotation)
		return NULL;
	if (annotations->count == annotations->capacity) {
		size_t capacity = annotations->capacity ? 2 * annotations->capacity : 16;
		Perfetto__Protos__DebugAnnotation **items =
			frec__arena_array(arena, capacity, sizeof(*items));

		if (!items)
			return NULL;
		if (annotations->count)
			memcpy(items, annotations->items, annotations->count * sizeof(*items));
		annotations->items = items;
		annotations->capacity = capacity;
	}
	perfetto__protos__debug_annotation__init(annotation);
	if (name) {
		annotation->name_field_case = PERFETTO__PROTOS__DEBUG_ANNOTATION__NAME_FIELD_NAME;
		annotation->name = frec__arena_string(arena, name);
	}
	annotations->items[annotations->count++] = annotation;
	return annotation;
}

static void set_string(Perfetto__Protos__DebugAnnotation *annotation, char *value)
{
	annotation->value_case = PERFETTO__PROTOS__DEBUG_ANNOTATION__VALUE_STRING_VALUE;
	annotation->string_value = value;
}

static void set_bool(Perfetto__Protos__DebugAnnotation *annotation, bool value)
{
	annotation->value_case = PERFETTO__PROTOS__DEBUG_ANNOTATION__VALUE_BOOL_VALUE;
	annotation->bool_value = value;
}

void frec__annotation_add_string(struct frec_arena *arena, struct frec_annotations *annotations,
				 const char *name, const char *value)
{
	Perfetto__Protos__DebugAnnotation *annotation =
		frec__annotation_add(arena, annotations, name);

	if (annotation)
		set_string(annotation, frec__arena_string(arena, value));
}

static char *hex(struct frec_arena *arena, const struct frec_value *value)
{
	char *string;

	frec__text_clear(&arena->scratch);
	frec__text_hex(&arena->scratch, value->data, value->size);
	arena->failed |= arena->scratch.failed;
	string = frec__arena_alloc(arena, 2 * value->size + 1);
	if (string && !arena->failed && arena->scratch.size)
		memcpy(string, arena->scratch.data, arena->scratch.size);
	return string;
}

static void set_value(struct frec_arena *arena, Perfetto__Protos__DebugAnnotation *annotation,
		      const struct frec_value *value)
{
	switch (value->kind) {
	case FREC_VALUE_UNSIGNED:
		annotation->value_case = PERFETTO__PROTOS__DEBUG_ANNOTATION__VALUE_UINT_VALUE;
		annotation->uint_value = value->u;
		break;
	case FREC_VALUE_SIGNED:
		annotation->value_case = PERFETTO__PROTOS__DEBUG_ANNOTATION__VALUE_INT_VALUE;
		annotation->int_value = value->i;
		break;
	case FREC_VALUE_ENUM:
		if (value->name) {
			set_string(annotation, frec__arena_string(arena, value->name));
			break;
		}
		annotation->value_case = PERFETTO__PROTOS__DEBUG_ANNOTATION__VALUE_INT_VALUE;
		annotation->int_value = value->i;
		break;
	case FREC_VALUE_BOOL:
		set_bool(annotation, value->u);
		break;
	case FREC_VALUE_POINTER:
		annotation->value_case = PERFETTO__PROTOS__DEBUG_ANNOTATION__VALUE_POINTER_VALUE;
		annotation->pointer_value = value->u;
		break;
	case FREC_VALUE_DOUBLE:
	case FREC_VALUE_FLOAT:
		// Readers keep numbers in a database that has no NaN.
		if (isnan(value->d)) {
			set_string(annotation, frec__arena_string(arena, "nan"));
			break;
		}
		annotation->value_case = PERFETTO__PROTOS__DEBUG_ANNOTATION__VALUE_DOUBLE_VALUE;
		annotation->double_value = value->d;
		break;
	case FREC_VALUE_TEXT:
		set_string(annotation, frec__arena_utf8(arena, value->data, value->size,
							value->cut ? "…" : ""));
		break;
	case FREC_VALUE_BYTES:
		set_string(annotation, hex(arena, value));
		break;
	case FREC_VALUE_ARRAY: {
		struct frec_annotations elements = {0};
		size_t count = frec__value_elements(value);

		for (size_t i = 0; i < count; i++) {
			Perfetto__Protos__DebugAnnotation *element =
				frec__annotation_add(arena, &elements, NULL);
			struct frec_value number;

			if (!element)
				return;
			frec__value_element(value, i, &number);
			set_value(arena, element, &number);
		}
		annotation->array_values = elements.items;
		annotation->n_array_values = elements.count;
		break;
	}
	case FREC_VALUE_INVALID:
		set_string(annotation, frec__arena_string(arena, "<invalid>"));
		break;
	}
}

void frec__annotation_add_value(struct frec_arena *arena, struct frec_annotations *annotations,
				const struct frec_value *value, uint64_t iid)
{
	Perfetto__Protos__DebugAnnotation *annotation =
		frec__annotation_add(arena, annotations, NULL);
	const char *name = value->field->name;

	if (!annotation)
		return;
	annotation->name_field_case = PERFETTO__PROTOS__DEBUG_ANNOTATION__NAME_FIELD_NAME_IID;
	annotation->name_iid = iid;
	set_value(arena, annotation, value);
	if (!value->cut)
		return;
	annotation = frec__annotation_add(arena, annotations, NULL);
	if (!annotation)
		return;
	annotation->name_field_case = PERFETTO__PROTOS__DEBUG_ANNOTATION__NAME_FIELD_NAME;
	annotation->name = frec__arena_utf8(arena, name, strlen(name), ".truncated");
	set_bool(annotation, true);
}

void frec__annotation_add_registers(struct frec_arena *arena, struct frec_annotations *annotations,
				    const struct frec_registers *layout, uint64_t mask,
				    const void *values, size_t count)
{
	Perfetto__Protos__DebugAnnotation *registers =
		frec__annotation_add(arena, annotations, "registers");
	struct frec_annotations entries = {0};
	const uint8_t *p = values;
	size_t done = 0;

	if (!registers)
		return;
	for (unsigned int i = 0; i < 64 && done < count; i++) {
		Perfetto__Protos__DebugAnnotation *entry;
		char number[8];

		if (!(mask >> i & 1))
			continue;
		snprintf(number, sizeof(number), "r#%u", i);
		entry = frec__annotation_add(arena, &entries,
					     layout && i < layout->count && layout->names[i]
						     ? layout->names[i]
						     : number);
		if (!entry)
			return;
		entry->value_case = PERFETTO__PROTOS__DEBUG_ANNOTATION__VALUE_POINTER_VALUE;
		memcpy(&entry->pointer_value, p + 8 * done++, 8);
	}
	registers->dict_entries = entries.items;
	registers->n_dict_entries = entries.count;
}
