// SPDX-License-Identifier: MIT
// Debug annotations as protobuf-c structures, which is fast enough for the few packets around the
// events.
#include "export/perfetto/annotations.h"

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

void frec__annotation_add_string(struct frec_arena *arena, struct frec_annotations *annotations,
				 const char *name, const char *value)
{
	Perfetto__Protos__DebugAnnotation *annotation =
		frec__annotation_add(arena, annotations, name);

	if (annotation)
		set_string(annotation, frec__arena_string(arena, value));
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
