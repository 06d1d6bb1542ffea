// SPDX-License-Identifier: MIT
// Reads tracepoints from BTF. `btf_trace_NAME` is the type of pointers to functions that take a
// pointer and then the tracepoint's arguments. `__traceiter_NAME` is such a function. If BTF
// contains it, its parameters have the names of the arguments.
#include "recorder/sources/raw_tracepoints.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "btf_trace_"

// Returns the type without typedefs and qualifiers.
static const struct btf_type *resolve(const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	while (type && (btf_is_mod(type) || btf_is_typedef(type)))
		type = btf__type_by_id(btf, type->type);
	return type;
}

static const char *name_of(const struct btf *btf, const struct btf_type *type)
{
	const char *name = type ? btf__name_by_offset(btf, type->name_off) : NULL;

	return name ? name : "";
}

// Spells a type as C does, simplified: typedefs are not resolved, and a function type is "void".
static void spell(const struct btf *btf, uint32_t id, char *ret, size_t size)
{
	const struct btf_type *type = btf__type_by_id(btf, id);
	unsigned int stars = 0;
	const char *tag = "";

	while (type && (btf_is_ptr(type) || btf_is_mod(type))) {
		stars += btf_is_ptr(type);
		type = type->type ? btf__type_by_id(btf, type->type) : NULL;
	}
	if (type && btf_is_composite(type))
		tag = btf_is_struct(type) ? "struct " : "union ";
	else if (type && btf_is_any_enum(type))
		tag = "enum ";
	snprintf(ret, size, "%s%s%s%.*s", tag,
		 type && *name_of(btf, type) ? name_of(btf, type) : "void", stars ? " " : "",
		 (int)stars, "********");
}

static int add_enumerators(struct frec_field *field, const struct btf *btf,
			   const struct btf_type *type)
{
	uint32_t count = btf_vlen(type);
	int r = 0;

	if (count > FREC_ENUMERATORS_MAX)
		return 0;
	for (uint32_t i = 0; i < count && !r; i++) {
		uint32_t offset = btf_is_enum64(type) ? btf_enum64(type)[i].name_off
						      : btf_enum(type)[i].name_off;
		const char *name = btf__name_by_offset(btf, offset) ?: "";
		int64_t value = btf_is_enum64(type)
					? (int64_t)btf_enum64_value(&btf_enum64(type)[i])
					: btf_enum(type)[i].val;

		r = frec__enumerators_add(&field->enumerator, &field->enumerators, value, name,
					  strlen(name));
	}
	return r;
}

static Flightrec__FieldKind kind_of(const struct btf_type *type)
{
	if (!type)
		return FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED;
	if (btf_is_ptr(type))
		return FLIGHTREC__FIELD_KIND__FIELD_POINTER;
	if (btf_is_any_enum(type))
		return FLIGHTREC__FIELD_KIND__FIELD_ENUM;
	if (btf_is_int(type) && btf_int_encoding(type) & BTF_INT_BOOL)
		return FLIGHTREC__FIELD_KIND__FIELD_BOOL;
	if (btf_is_int(type) && btf_int_encoding(type) & BTF_INT_SIGNED)
		return FLIGHTREC__FIELD_KIND__FIELD_SIGNED;
	return FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED;
}

struct building {
	const struct btf *btf;
	struct frec_format *format;
	struct frec_raw_layout *layout;
};

static int add_task(struct building *building, const char *name, struct frec_raw_argument *argument)
{
	struct frec_format *format = building->format;
	uint32_t at = building->layout->size;
	char both[160];

	argument->kind = FREC_RAW_TASK;
	argument->task_at = at;
	building->layout->size += sizeof(struct frec_foreign_task);
	snprintf(both, sizeof(both), "%s_pid", name);
	if (!frec__format_add(format, both, "pid_t", FLIGHTREC__FIELD_KIND__FIELD_SIGNED,
			      at + offsetof(struct frec_foreign_task, pid), sizeof(int)))
		return -ENOMEM;
	snprintf(both, sizeof(both), "%s_comm", name);
	if (!frec__format_add(format, both, "char[16]", FLIGHTREC__FIELD_KIND__FIELD_CHARS,
			      at + offsetof(struct frec_foreign_task, comm),
			      FREC_FOREIGN_COMM_SIZE))
		return -ENOMEM;
	format->field[format->count - 1].element_size = 1;
	return 0;
}

static int add_argument(struct building *building, uint32_t n, uint32_t id, const char *given_name)
{
	const struct btf *btf = building->btf;
	const struct btf_type *type = resolve(btf, id), *target = NULL;
	struct frec_raw_argument *argument = &building->layout->argument[n];
	Flightrec__FieldKind kind = kind_of(type);
	struct frec_field *field;
	char name[128], spelled[160];
	uint32_t size = 8;

	snprintf(name, sizeof(name), "%s", given_name);
	if (!*name)
		snprintf(name, sizeof(name), "arg%" PRIu32, n);
	spell(btf, id, spelled, sizeof(spelled));
	if (type && btf_is_ptr(type))
		target = resolve(btf, type->type);
	else if (type && (btf_is_int(type) || btf_is_any_enum(type)) && type->size <= 8)
		size = type->size;
	// Only what a pointer to plain char points to is recorded as text. Pointers to other byte
	// types are not followed.
	if (target && btf_is_int(target) && !strcmp(name_of(btf, target), "char")) {
		argument->kind = FREC_RAW_TEXT;
		building->layout->text_size++;
		kind = FLIGHTREC__FIELD_KIND__FIELD_STRING;
		size = 4;
	}
	field = frec__format_add(building->format, name, spelled, kind,
				 FREC_FOREIGN_ARGUMENT_OFFSET(n), size);
	if (!field)
		return -ENOMEM;
	if (kind == FLIGHTREC__FIELD_KIND__FIELD_STRING)
		field->locator = FLIGHTREC__LOCATOR__LOCATOR_RELATIVE;
	if (kind == FLIGHTREC__FIELD_KIND__FIELD_ENUM && add_enumerators(field, btf, type))
		return -ENOMEM;
	if (target && btf_is_struct(target) && !strcmp(name_of(btf, target), "task_struct"))
		return add_task(building, name, argument);
	return 0;
}

static const struct btf_type *named_prototype(const struct btf *btf, const char *name)
{
	char function[256];
	const struct btf_type *type;
	int id;

	snprintf(function, sizeof(function), "__traceiter_%s", name);
	id = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC);
	type = id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);
	return type ? btf__type_by_id(btf, type->type) : NULL;
}

static int build(struct building *building, const char *name, const struct btf_type *prototype)
{
	const struct btf_type *named = named_prototype(building->btf, name);
	uint32_t count = btf_vlen(prototype), texts;
	struct frec_raw_layout *layout = building->layout;
	int r = 0;

	if (!named || !btf_is_func_proto(named) || btf_vlen(named) != count)
		named = prototype;
	// The first parameter is a pointer for the kernel's own use, and not an argument of the
	// tracepoint.
	count = count ? count - 1 : 0;
	layout->arguments = count > FREC_RAW_ARGUMENTS_MAX ? FREC_RAW_ARGUMENTS_MAX : count;
	layout->size = FREC_FOREIGN_ARGUMENT_OFFSET(layout->arguments);
	for (uint32_t i = 0; i < layout->arguments && !r; i++)
		r = add_argument(
			building, i, btf_params(prototype)[i + 1].type,
			btf__name_by_offset(building->btf, btf_params(named)[i + 1].name_off)
				?: "");
	texts = layout->text_size;
	layout->text_size = texts ? (FREC_BPF_RECORD_MAX - layout->size) / texts : 0;
	if (layout->text_size > FREC_FOREIGN_TEXT_MAX)
		layout->text_size = FREC_FOREIGN_TEXT_MAX;
	return r;
}

int frec__raw_tracepoints_walk(const struct btf *btf, const char *glob, frec_raw_visit *visit,
			       void *context)
{
	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id), *prototype;
		const char *name = name_of(btf, type) + strlen(PREFIX);
		struct frec_listed listed = {.kind = FLIGHTREC__SOURCE_KIND__SOURCE_RAW_TRACEPOINT,
					     .system = "tp_btf",
					     .group = "tp_btf"};
		struct frec_raw_layout layout = {0};
		struct frec_format format = {0};
		struct building building = {.btf = btf, .format = &format, .layout = &layout};
		int r;

		if (!btf_is_typedef(type) || strncmp(name_of(btf, type), PREFIX, strlen(PREFIX)) ||
		    fnmatch(glob, name, 0))
			continue;
		prototype = resolve(btf, type->type);
		prototype =
			prototype && btf_is_ptr(prototype) ? resolve(btf, prototype->type) : NULL;
		if (!prototype || !btf_is_func_proto(prototype))
			continue;
		snprintf(listed.name, sizeof(listed.name), "%s", name);
		snprintf(listed.kernel_name, sizeof(listed.kernel_name), "%s", name);
		r = build(&building, name, prototype);
		if (r) {
			frec__format_deinit(&format);
			return r;
		}
		r = visit(context, &listed, &format, &layout);
		if (r)
			return r;
	}
	return 0;
}
