// SPDX-License-Identifier: MIT
// Finds places in code. Each address of a process is looked up once; after that a frame costs one
// probe of a hash table. That table is not a frec_table because it has keys of two parts and holds
// pointers.
#include "export/timeline/locations.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/cleanup.h"
#include "proto/grow.h"

// Returns what can distinguish the places of two frames at one address: how the frames were found,
// whether their names are looked up at pc or before it, and whether a signal handler returns there.
// Never 0.
static uint32_t how_of(const struct frec_frame *frame)
{
	return 1u << 8 | (uint32_t)frame->kind << 2 | (uint32_t)frame->exact << 1 | frame->signal;
}

void frec__locations_init(struct frec_locations *locations, const struct frec_snapshot *snapshot)
{
	*locations = (struct frec_locations){.snapshot = snapshot};
}

void frec__locations_deinit(struct frec_locations *locations)
{
	for (size_t i = 0; i < locations->count; i++) {
		struct frec_location *location = locations->locations[i];

		if (location->code && location->code->kernel)
			free((void *)(uintptr_t)location->names.names);
		free(location);
	}
	for (size_t i = 0; i < locations->code_count; i++)
		free(locations->codes[i]);
	free(locations->locations);
	frec__table_free(&locations->indices);
	free(locations->codes);
	frec__table_free(&locations->code_indices);
	free(locations->symbols);
	*locations = (struct frec_locations){0};
}

bool frec__mapping_is_file(const Flightrec__Map *map)
{
	static const char vdso[] = "[vdso]";

	if (map->path.len == sizeof(vdso) - 1 && !memcmp(map->path.data, vdso, map->path.len))
		return true;
	return map->path.len > 1 && map->path.data[0] == '/' && map->path.data[1] != '/';
}

int frec__located_process_init(struct frec_located_process *process, struct frec_unwinder *unwinder,
			       const Flightrec__Process *of, uint64_t before)
{
	FREC_FREE struct frec_unwind_map *maps = calloc(of->n_map + 1, sizeof(*maps));
	FREC_FREE char **paths = calloc(of->n_map + 1, sizeof(*paths));
	int r = 0;

	*process = (struct frec_located_process){
		.maps = calloc(of->n_map + 1, sizeof(const Flightrec__Map *))};
	if (!maps || !paths || !process->maps)
		r = -ENOMEM;
	for (size_t i = 0; i < of->n_map && !r; i++) {
		const Flightrec__Map *map = of->map[i];
		size_t n = process->map_count;

		if (map->since >= before)
			continue;
		paths[n] =
			strndup(map->path.len ? (const char *)map->path.data : "", map->path.len);
		if (!paths[n])
			r = -ENOMEM;
		maps[n] = (struct frec_unwind_map){.start = map->start,
						   .end = map->end,
						   .offset = map->offset,
						   .path = paths[n],
						   .build_id = map->build_id.data,
						   .build_id_size = map->build_id.len};
		process->maps[n] = map;
		process->map_count++;
	}
	if (!r)
		r = frec__unwind_process_create(unwinder, maps, process->map_count,
						&process->unwind);
	for (size_t i = 0; paths && i < process->map_count; i++)
		free(paths[i]);
	if (r)
		frec__located_process_deinit(process);
	return r;
}

void frec__located_process_deinit(struct frec_located_process *process)
{
	frec__unwind_process_destroy(process->unwind);
	free(process->maps);
	free(process->met);
	*process = (struct frec_located_process){0};
}

static bool is_code(const struct frec_code *code, const char *path, size_t path_size,
		    const Flightrec__Map *map)
{
	size_t id_size = map ? map->build_id.len : 0;

	return code->kernel == !map && strlen(code->path) == path_size &&
	       !memcmp(code->path, path, path_size) && code->build_id_size == id_size &&
	       (!id_size || !memcmp(code->build_id, map->build_id.data, id_size));
}

// Sets where the code is in memory: where `map` is, and what else the process has mapped of the
// same file at the same distance.
static void set_place(struct frec_code *code, const struct frec_located_process *process,
		      const Flightrec__Map *map)
{
	code->start = map->start;
	code->end = map->end;
	code->file = frec__mapping_is_file(map);
	for (size_t i = 0; i < process->map_count && code->file; i++) {
		const Flightrec__Map *other = process->maps[i];

		if (other->start - other->offset != map->start - map->offset ||
		    other->path.len != map->path.len ||
		    memcmp(other->path.data, map->path.data, map->path.len))
			continue;
		code->start = other->start < code->start ? other->start : code->start;
		code->end = other->end > code->end ? other->end : code->end;
	}
	code->offset = map->offset - (map->start - code->start);
}

static struct frec_code *add_code(struct frec_locations *locations, const char *path,
				  size_t path_size, const struct frec_located_process *process,
				  const Flightrec__Map *map)
{
	size_t id_size = map ? map->build_id.len : 0;
	struct frec_code *code;
	uint8_t *bytes;

	if (!frec__grow(&locations->codes, locations->code_count, sizeof(code)))
		return NULL;
	code = malloc(sizeof(*code) + id_size + path_size + 1);
	if (!code)
		return NULL;
	bytes = (uint8_t *)(code + 1);
	*code = (struct frec_code){.id = locations->numbers->codes++,
				   .build_id = bytes,
				   .build_id_size = id_size,
				   .kernel = !map};
	if (map) {
		set_place(code, process, map);
		memcpy(bytes, map->build_id.data ? map->build_id.data : bytes, id_size);
	}
	memcpy(bytes + id_size, path, path_size);
	bytes[id_size + path_size] = 0;
	code->path = (const char *)bytes + id_size;
	locations->codes[locations->code_count++] = code;
	return code;
}

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < size; i++)
		hash = frec__table_mix(hash, p[i]);
	return hash;
}

// Finds or makes the code with this path and build-id; if `map` is NULL, it is code of the kernel.
// Returns NULL if memory runs out.
static const struct frec_code *find_code(struct frec_locations *locations, const char *path,
					 size_t path_size,
					 const struct frec_located_process *process,
					 const Flightrec__Map *map)
{
	uint64_t key = hash_bytes(!map, path, path_size);

	if (map)
		key = hash_bytes(key, map->build_id.data, map->build_id.len);
	for (;; key++) {
		uint32_t *index = frec__table_put(&locations->code_indices, key, NULL);
		struct frec_code *code;

		if (!index)
			return NULL;
		if (!*index) {
			code = add_code(locations, path, path_size, process, map);
			*index = code ? (uint32_t)locations->code_count : 0;
			return code;
		}
		code = locations->codes[*index - 1];
		if (is_code(code, path, path_size, map))
			return code;
	}
}

static uint64_t place_hash(const struct frec_location *location)
{
	struct frec_frame frame = {
		.kind = location->kind, .exact = location->exact, .signal = location->signal};

	return frec__table_mix(frec__table_mix(how_of(&frame), location->address),
			       location->code ? location->code->id + 1 : 0);
}

static bool same_place(const struct frec_location *a, const struct frec_location *b)
{
	return a->address == b->address && a->code == b->code && a->kind == b->kind &&
	       a->exact == b->exact && a->signal == b->signal;
}

bool frec__locations_take(struct frec_locations *locations, size_t places)
{
	struct frec_left_out *left_out = locations->snapshot->left_out;

	if (places > left_out->places_left)
		return false;
	left_out->places_left -= places;
	return true;
}

static struct frec_location *add(struct frec_locations *locations,
				 const struct frec_location *place)
{
	struct frec_location *location;

	if (!frec__grow(&locations->locations, locations->count, sizeof(location)))
		return NULL;
	location = malloc(sizeof(*location));
	if (!location)
		return NULL;
	*location = *place;
	location->id = locations->numbers->locations++;
	return locations->locations[locations->count++] = location;
}

// Finds or makes the location that is equal to `place`. Returns NULL if memory runs out or
// FREC_LIMIT_PLACES is reached.
static struct frec_location *intern(struct frec_locations *locations,
				    const struct frec_location *place)
{
	for (uint64_t key = place_hash(place);; key++) {
		uint32_t *index = frec__table_get(&locations->indices, key);
		struct frec_location *location;

		if (index && *index && same_place(locations->locations[*index - 1], place))
			return locations->locations[*index - 1];
		if (index && *index)
			continue;
		if (!frec__locations_take(locations, 1))
			return NULL;
		index = frec__table_put(&locations->indices, key, NULL);
		if (!index)
			return NULL;
		location = add(locations, place);
		*index = location ? (uint32_t)locations->count : 0;
		return location;
	}
}

static struct frec_location *locate(struct frec_locations *locations,
				    struct frec_located_process *process,
				    const struct frec_frame *frame)
{
	struct frec_location place = {.pc = frame->pc,
				      .address = frame->pc,
				      .kind = frame->kind,
				      .exact = frame->exact,
				      .signal = frame->signal};

	if (frec__symbolize(process->unwind, frame, &place.names))
		return NULL;
	if (place.names.map < process->map_count) {
		const Flightrec__Map *map = process->maps[place.names.map];
		size_t length =
			map->path.len ? strnlen((const char *)map->path.data, map->path.len) : 0;

		place.address = place.names.address;
		place.offset = frame->pc - map->start + map->offset;
		place.code =
			find_code(locations, (const char *)map->path.data, length, process, map);
		if (!place.code)
			return NULL;
		// Until here names.module points to a string of `process`, which can be freed
		// before the locations.
		place.names.module = place.code->path;
	}
	return intern(locations, &place);
}

static struct frec_met_address *met_slot(struct frec_met_address *met, size_t size, uint64_t pc,
					 uint32_t how)
{
	size_t at = frec__table_mix(how, pc) & (size - 1);

	while (met[at].how && (met[at].pc != pc || met[at].how != how))
		at = (at + 1) & (size - 1);
	return &met[at];
}

static int grow_met(struct frec_located_process *process)
{
	size_t size = process->met_size ? 2 * process->met_size : 64;
	struct frec_met_address *met;

	if (2 * process->met_count < process->met_size)
		return 0;
	met = calloc(size, sizeof(*met));
	if (!met)
		return -ENOMEM;
	for (size_t i = 0; i < process->met_size; i++) {
		if (process->met[i].how)
			*met_slot(met, size, process->met[i].pc, process->met[i].how) =
				process->met[i];
	}
	free(process->met);
	process->met = met;
	process->met_size = size;
	return 0;
}

const struct frec_location *frec__locations_find(struct frec_locations *locations,
						 struct frec_located_process *process,
						 const struct frec_frame *frame)
{
	struct frec_met_address *slot;
	uint32_t how = how_of(frame);

	if (grow_met(process))
		return NULL;
	slot = met_slot(process->met, process->met_size, frame->pc, how);
	if (!slot->how) {
		struct frec_location *location;

		if (!frec__locations_take(locations, 1))
			return NULL;
		location = locate(locations, process, frame);

		if (!location)
			return NULL;
		*slot = (struct frec_met_address){frame->pc, how, location};
		process->met_count++;
	}
	return slot->location;
}

static int compare_symbols(const void *a, const void *b)
{
	const Flightrec__KernelSymbol *const *x = a, *const *y = b;

	return ((*x)->address > (*y)->address) - ((*x)->address < (*y)->address);
}

// Recorders write a single part of symbols, sorted by address, but this function does not rely on
// that. Returns 0 or -ENOMEM.
static int sort_symbols(struct frec_locations *locations)
{
	const struct frec_snapshot *snapshot = locations->snapshot;
	size_t count = 0;

	if (locations->symbols_sorted)
		return 0;
	for (size_t i = 0; i < snapshot->kernel_symbols_count; i++)
		count += snapshot->kernel_symbols[i]->n_symbol;
	locations->symbols = calloc(count + 1, sizeof(const Flightrec__KernelSymbol *));
	if (!locations->symbols)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->kernel_symbols_count; i++) {
		const Flightrec__KernelSymbols *part = snapshot->kernel_symbols[i];

		for (size_t k = 0; k < part->n_symbol; k++)
			locations->symbols[locations->symbol_count++] = part->symbol[k];
	}
	qsort(locations->symbols, locations->symbol_count, sizeof(const Flightrec__KernelSymbol *),
	      compare_symbols);
	locations->symbols_sorted = true;
	return 0;
}

static const Flightrec__KernelSymbol *find_symbol(const struct frec_locations *locations,
						  uint64_t address)
{
	size_t low = 0, high = locations->symbol_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (locations->symbols[middle]->address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? locations->symbols[low - 1] : NULL;
}

const struct frec_location *frec__locations_kernel(struct frec_locations *locations,
						   const struct frec_frame *frame)
{
	struct frec_location place = {.pc = frame->pc,
				      .address = frame->pc,
				      .kind = frame->kind,
				      .exact = frame->exact,
				      .names = {.address = frame->pc,
						.offset = UINT64_MAX,
						.map = FREC_FRAME_NO_MAP,
						.verified = true}};
	const Flightrec__KernelSymbol *symbol;
	struct frec_location *location;
	char path[64] = "[kernel]";

	if (sort_symbols(locations))
		return NULL;
	symbol = find_symbol(locations, frame->pc - !frame->exact);
	if (symbol && *symbol->module)
		snprintf(path, sizeof(path), "[%s]", symbol->module);
	place.code = find_code(locations, path, strlen(path), NULL, NULL);
	if (!place.code)
		return NULL;
	place.names.module = place.code->path;
	location = intern(locations, &place);
	if (location && symbol && *symbol->name && !location->names.count) {
		struct frec_name *name = calloc(1, sizeof(*name));

		if (!name)
			return NULL;
		name->function = symbol->name;
		location->names.names = name;
		location->names.count = 1;
		location->names.offset = frame->pc - symbol->address;
	}
	return location;
}
