// SPDX-License-Identifier: MIT
// Whatever services write into a recorder's shared memory, the reader neither crashes nor reads out
// of bounds, and the records that it finds are well-formed. The first byte of an input chooses
// whether the checksums are corrected after patching, and whether the reader wants call stacks. The
// rest are patches to valid memory:
// section, u16 offset, u8 length, and the bytes.
#include <stdio.h>

#include "recorder/declared/declarations.h"
#include "recorder/declared/declared_kinds.h"
#include "recorder/service/registration.h"
#include "recorder/service/shm_checksum.h"
#include "tests/data/shm_kit.h"

#define RING_SIZE FREC_SHM_RING_SIZE_MIN
#define RECORDS 300
#define SECTIONS 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *pristine; // a copy of shared memory with RECORDS records, before any patch
static uint32_t pristine_key;

static void prepare(void)
{
	struct frec_shm_rings *rings = kit_create_for(1, RING_SIZE, 0);

	if (!rings || frec__shm_attach(frec__shm_fd(rings)))
		abort();
	frec__shm->sequences = false;
	for (uint64_t i = 0; i < RECORDS; i++)
		frec_kit_tick(7, i, "some text");
	pristine = malloc(rings->layout.size);
	pristine_key = rings->key;
	memcpy(pristine, kit_map(rings), rings->layout.size);
	frec__shm_destroy(rings);
}

static size_t section(const struct frec_shm_layout *layout, uint8_t which)
{
	const size_t begin[SECTIONS] = {
		layout->table, layout->table + offsetof(struct frec_shm_table, used),
		layout->controls + layout->control_size, layout->rings + RING_SIZE,
		layout->rings + RING_SIZE + RING_SIZE - 8192};

	return begin[which % SECTIONS];
}

// Corrects the commit word and the checksum of each record. All records have the same size, so
// their places are known.
static void repair(const struct frec_shm_rings *rings, uint8_t *memory)
{
	const struct frec_shm_control *control =
		(void *)(pristine + rings->layout.controls + rings->layout.control_size);
	size_t length = (size_t)(control->position - FREC_SHM_POSITION_FIRST) / RECORDS;

	for (uint64_t position = control->position; position > FREC_SHM_POSITION_FIRST;
	     position -= length) {
		uint8_t *at =
			memory + rings->layout.rings + RING_SIZE + (-position & (RING_SIZE - 1));
		struct frec_shm_record *record = (void *)at;
		size_t size = record->header.size & ~7u;

		if (at + FREC_SHM_FRAME_SIZE + size > memory + rings->layout.size)
			continue;
		record->commit = frec__shm_commit_word(position, rings->key);
		record->checksum = frec__shm_checksum(at + FREC_SHM_FRAME_SIZE, size);
	}
}

static void look_at(struct frec_shm_rings *rings, bool stacks)
{
	struct kit_reading reading;

	memset(rings->chains, stacks, sizeof(rings->chains));
	reading = kit_read(rings);

	for (size_t i = 0; i < rings->events; i++) {
		const struct frec_shm_event *event = frec__shm_event(rings, i);
		struct frec_declarations declarations = {0};

		if (frec__declarations_read(&declarations, event->declaration,
					    event->declaration_size) ||
		    declarations.count != 1 || !*event->provider || !*event->name)
			abort();
		free(frec__declared_registration(&declarations.event[0]));
		frec__declarations_deinit(&declarations);
	}
	free(reading.record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frec_shm_rings *rings;
	uint8_t *memory;
	bool right, stacks;

	if (!pristine)
		prepare();
	if (!size)
		return 0;
	rings = kit_create_for(1, RING_SIZE, 0);
	if (!rings)
		return 0;
	rings->key = pristine_key;
	memory = kit_map(rings);
	// Only the beginnings of the sections of declarations and counts are in use, so the rest
	// need not be copied.
	for (uint8_t i = 0; i < SECTIONS - 1; i++)
		memcpy(memory + section(&rings->layout, i), pristine + section(&rings->layout, i),
		       i < 3 ? 8192 : RING_SIZE);
	right = *data & 1;
	stacks = *data++ & 2;
	size--;
	while (size > 4) {
		size_t at = section(&rings->layout, data[0]) + (data[1] | (size_t)data[2] << 8);
		size_t length = data[3] < size - 4 ? data[3] : size - 4;

		if (at + length <= rings->layout.size)
			memcpy(memory + at, data + 4, length);
		data += 4 + length;
		size -= 4 + length;
	}
	if (right)
		repair(rings, memory);
	look_at(rings, stacks);
	munmap(memory, rings->layout.size);
	frec__shm_destroy(rings);
	return 0;
}
