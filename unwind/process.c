// SPDX-License-Identifier: MIT
// The mappings of a process, and the rows of its addresses.
#include "unwind/process.h"

#include <errno.h>
#include <stdlib.h>

#include "proto/cleanup.h"

// A program's entry function is taken to have this many bytes, because no CFI gives its size.
#define ENTRY_SIZE 64

static void destroy_process(struct frec_unwind_process **process)
{
	frec__unwind_process_destroy(*process);
}

#define DESTROY_PROCESS __attribute__((cleanup(destroy_process)))

static int compare_mappings(const void *left, const void *right)
{
	const struct frec_unwind_mapping *a = left, *b = right;

	return a->start != b->start ? (a->start < b->start ? -1 : 1)
				    : (a->index > b->index) - (a->index < b->index);
}

// The caller should give only one mapping at each address. If two overlap anyway, the later one in
// the caller's array keeps the addresses that both have, and the earlier one is cut.
static void make_disjoint(struct frec_unwind_process *process)
{
	struct frec_unwind_mapping *mappings = process->mappings;
	size_t kept = 0;

	for (size_t i = 0; i < process->mapping_count; i++) {
		struct frec_unwind_mapping *mapping = &mappings[i],
					   *last = kept ? &mappings[kept - 1] : NULL;

		if (last && mapping->start < last->end) {
			if (mapping->index > last->index)
				last->end = mapping->start;
			else
				mapping->start = last->end;
			if (last->end == last->start)
				free((char *)(uintptr_t)mappings[--kept].map.path);
		}
		if (mapping->start < mapping->end)
			mappings[kept++] = *mapping;
		else
			free((char *)(uintptr_t)mapping->map.path);
	}
	process->mapping_count = kept;
}

int frec__unwind_process_create(struct frec_unwinder *unwinder, const struct frec_unwind_map *maps,
				size_t count, struct frec_unwind_process **ret)
{
	DESTROY_PROCESS struct frec_unwind_process *process = calloc(1, sizeof(*process));

	if (!process)
		return -ENOMEM;
	process->unwinder = unwinder;
	process->mappings = calloc(count + 1, sizeof(*process->mappings));
	process->cache = calloc(FREC_ROW_CACHE, sizeof(*process->cache));
	if (!process->mappings || !process->cache)
		return -ENOMEM;
	for (size_t i = 0; i < FREC_ROW_CACHE; i++)
		process->cache[i].map = FREC_FRAME_NO_MAP;
	for (size_t i = 0; i < count; i++) {
		struct frec_unwind_mapping *mapping = &process->mappings[i];
		size_t length = strlen(maps[i].path) + 1;
		size_t id_size =
			maps[i].build_id_size <= FREC_BUILD_ID_MAX ? maps[i].build_id_size : 0;
		size_t file_size = maps[i].file ? strlen(maps[i].file) + 1 : 0;
		char *copy = malloc(length + id_size + file_size); // path, build-id, file

		if (!copy)
			return -ENOMEM;
		memcpy(copy, maps[i].path, length);
		if (id_size)
			memcpy(copy + length, maps[i].build_id, id_size);
		if (file_size)
			memcpy(copy + length + id_size, maps[i].file, file_size);
		*mapping = (struct frec_unwind_mapping){.start = maps[i].start,
							.end = maps[i].end,
							.map = maps[i],
							.index = (uint32_t)i};
		mapping->map.path = copy;
		mapping->map.build_id = (const uint8_t *)copy + length;
		mapping->map.build_id_size = id_size;
		mapping->map.file = file_size ? copy + length + id_size : NULL;
		process->mapping_count = i + 1;
	}
	qsort(process->mappings, count, sizeof(*process->mappings), compare_mappings);
	make_disjoint(process);
	*ret = FREC_TAKE_PTR(process);
	return 0;
}

void frec__unwind_process_destroy(struct frec_unwind_process *process)
{
	if (!process)
		return;
	for (size_t i = 0; i < process->mapping_count; i++)
		free((char *)(uintptr_t)process->mappings[i].map.path);
	free(process->mappings);
	free(process->cache);
	free(process);
}

// Finds the module of a mapping. Only mapped files and the vDSO have one. Mappings such as "//anon"
// and "[heap]" may hold code made at run time, which no file describes.
static void open_mapping(struct frec_unwind_process *process, struct frec_unwind_mapping *mapping)
{
	const char *path = mapping->map.path;
	struct frec_module *module;

	mapping->opened = true;
	if ((*path != '/' || path[1] == '/') && strcmp(path, "[vdso]"))
		return;
	module = mapping->module = frec__module_get(process->unwinder, &mapping->map);
	if (!module)
		return;
	if (module->elf)
		mapping->has_bias = frec__elf_bias(module->elf, mapping->map.start,
						   mapping->map.offset, &mapping->bias);
	else if (frec__module_debug(module)) // the program was not found, but its debug file was
		mapping->has_bias = frec__elf_bias_by_size(module->debug, mapping->map.start,
							   mapping->map.end, &mapping->bias);
}

struct frec_unwind_mapping *frec__process_mapping(struct frec_unwind_process *process,
						  uint64_t address)
{
	struct frec_unwind_mapping *mapping = process->mappings;
	size_t count = process->mapping_count;

	if (!count)
		return NULL;
	while (count > 1) {
		size_t half = count / 2;

		mapping = mapping[half].start <= address ? mapping + half : mapping;
		count -= half;
	}
	if (address < mapping->start || address >= mapping->end)
		return NULL;
	if (!mapping->opened)
		open_mapping(process, mapping);
	return mapping;
}

void frec__unwind_process_open(struct frec_unwind_process *process)
{
	for (size_t i = 0; i < process->mapping_count; i++)
		frec__process_mapping(process, process->mappings[i].start);
}

// Returns whether the code to which signal handlers return is at `pc`, or at the next byte, because
// `pc` can be the byte before a return address.
static bool is_sigreturn(const struct frec_unwind_process *process,
			 const struct frec_unwind_mapping *mapping, uint64_t pc)
{
	const struct frec_sigreturn *sigreturn = &process->unwinder->machine->sigreturn;
	const Elf_Data *data = mapping->module->elf
				       ? frec__elf_at(mapping->module->elf, pc - mapping->bias,
						      sigreturn->size + 1)
				       : NULL;

	return data && data->d_size > sigreturn->size &&
	       (!memcmp(data->d_buf, sigreturn->code, sigreturn->size) ||
		!memcmp((const char *)data->d_buf + 1, sigreturn->code, sigreturn->size));
}

// Returns whether `pc` is in the entry function of a program. Nothing calls that function, but
// glibc's loader and musl have no CFI that says so.
static bool is_entry(const struct frec_unwind_mapping *mapping, uint64_t pc)
{
	const struct frec_elf *elf = mapping->module->elf;

	return elf && elf->entry && pc - mapping->bias - elf->entry < ENTRY_SIZE;
}

const struct frec_cached_row *frec__process_make_row(struct frec_unwind_process *process,
						     uint64_t pc, struct frec_cached_row *slot)
{
	struct frec_unwind_mapping *mapping = frec__process_mapping(process, pc);

	*slot = (struct frec_cached_row){.pc = pc, .map = FREC_FRAME_NO_MAP};
	if (!mapping)
		return slot;
	slot->map = mapping->index;
	if (!mapping->has_bias)
		return slot;
	if (frec__module_row(mapping->module, pc - mapping->bias, &slot->row, NULL))
		slot->row = (struct frec_row){.kind = FREC_ROW_RULES};
	else if (slot->row.kind == FREC_ROW_NONE && is_sigreturn(process, mapping, pc))
		slot->row.kind = FREC_ROW_SIGRETURN;
	else if (slot->row.kind == FREC_ROW_NONE && is_entry(mapping, pc))
		slot->row.kind = FREC_ROW_OUTERMOST;
	return slot;
}
