// SPDX-License-Identifier: MIT
// Proves that records of all CPUs come in order of time, those of a CPU in the order of its ring,
// and that reading stops at a broken record.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "export/read/clocks.h"
#include "export/read/processes.h"
#include "export/timeline/merge.h"
#include "tests/attack/make_hostile.h"
#include "tests/data/make_snapshot.h"

static void open_file(struct frec_snapshot *snapshot, const struct made_file *file)
{
	int fd = memfd_create("snapshot", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, file->data, file->size), file->size);
	assert_int_equal(frec__snapshot_open_fd(snapshot, fd, "memory", NULL), 0);
}

static void check_order(size_t window)
{
	static const struct {
		uint64_t time;
		uint32_t cpu, tid;
	} expected[] = {
		{1500000000, 0, 123}, {1600000000, 0, 123}, {1600100000, 1, 0},
		{1700000005, 1, 125}, {1700000010, 0, 0},   {1700000000, 0, 123},
		{1800000000, 0, 777}, {2500000000, 1, 125}, {2500200000, 1, 125},
	};
	const struct make_options options = {.zstd = true};
	const struct frec_record *record;
	struct frec_snapshot snapshot;
	struct frec_merge merge;
	struct made_file file;

	make_small(&file, &options);
	open_file(&snapshot, &file);
	assert_int_equal(frec__merge_init(&merge, &snapshot), 0);
	assert_int_equal(merge.window, 0);
	merge.window = window;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		record = frec__merge_next(&merge);
		assert_non_null(record);
		assert_int_equal(record->time, expected[i].time);
		assert_int_equal(record->cpu, expected[i].cpu);
		assert_int_equal(record->tid, expected[i].tid);
		if (record->stack_size) {
			assert_int_equal(record->stack_size, 11);
			assert_memory_equal(record->stack, "a piece of ", 11);
			assert_int_equal(record->register_mask, 0x1ff);
		}
	}
	assert_null(frec__merge_next(&merge));
	assert_null(frec__merge_next(&merge));
	assert_int_equal(merge.problem.code, 0);
	assert_int_equal(merge.bytes_done, merge.bytes_total);
	frec__merge_deinit(&merge);
	frec__snapshot_close(&snapshot);
	free(file.data);
}

// A part that protobuf-c packed, with all fields and with additional ones before them, is read by
// code that does not use protobuf-c.
static void parts_are_what_the_schema_says(void **state)
{
	Flightrec__Records records = FLIGHTREC__RECORDS__INIT;
	struct frec_chunk_content content;
	struct frec_part_view view;
	struct frec_chunk_view chunk;
	uint8_t packed[64], more[80];
	size_t size;

	(void)state;
	records.cpu = UINT32_MAX;
	records.count = 2;
	records.first = UINT64_MAX;
	records.last = 4;
	records.size = 5;
	records.ring = 8;
	for (int zstd = 0; zstd < 2; zstd++) {
		records.content_case =
			zstd ? FLIGHTREC__RECORDS__CONTENT_ZSTD : FLIGHTREC__RECORDS__CONTENT_PLAIN;
		records.plain = (ProtobufCBinaryData){5, (uint8_t *)"bytes"};
		size = flightrec__records__pack(&records, packed);
		// Prepend a field of a later version, and a field that occurs again in `packed`, so
		// that its value there counts.
		memcpy(more, "\xfa\x07\x02hi\x20\x09", 7);
		memcpy(more + 7, packed, size);
		view = (struct frec_part_view){
			.field = FREC_PART_RECORDS, .body = more, .body_size = 7 + size};
		assert_true(frec__chunk_describe(&view, &chunk, &content));
		assert_int_equal(chunk.cpu, records.cpu);
		assert_int_equal(chunk.count, records.count);
		assert_true(chunk.first == records.first);
		assert_int_equal(chunk.last, records.last);
		assert_int_equal(chunk.size, records.size);
		assert_int_equal(chunk.ring, records.ring);
		assert_int_equal(content.kind, records.content_case);
		assert_int_equal(content.size, 5);
		assert_memory_equal(content.data, "bytes", 5);
		view.body_size--;
		assert_false(frec__chunk_describe(&view, &chunk, &content));
	}
}

static void broken_records(void **state)
{
	const struct make_options options = {0};
	struct frec_chunk_data data = {0};
	struct frec_snapshot snapshot;
	struct frec_record record;
	struct made_file file;
	uint8_t *copy;
	uint16_t size;

	(void)state;
	make_small(&file, &options);
	open_file(&snapshot, &file);
	assert_int_equal(frec__snapshot_read_chunk(&snapshot, &snapshot.chunks[0], &data, NULL), 0);
	memcpy(&size, data.data + 6, sizeof(size));
	for (size_t cut = 0; cut < size; cut++) {
		copy = malloc(cut); // a block of its own, for sanitizers
		assert_true(copy || !cut);
		memcpy(copy, data.data, cut);
		assert_int_equal(frec__record_next(&snapshot, copy, cut, &record),
				 cut ? -EBADMSG : -ENODATA);
		free(copy);
	}
	// The record claims each smaller size in turn. From 8 bytes on, the header is valid, but
	// the body is not.
	for (uint16_t shorter = 0; shorter < size; shorter++) {
		copy = malloc(size);
		assert_non_null(copy);
		memcpy(copy, data.data, size);
		memcpy(copy + 6, &shorter, sizeof(shorter));
		assert_int_equal(frec__record_next(&snapshot, copy, size, &record),
				 shorter < 8 ? -EBADMSG : -EPROTO);
		free(copy);
	}
	free(data.data);
	frec__snapshot_close(&snapshot);
	free(file.data);
}

static void clocks_and_processes(void **state)
{
	const struct make_options options = {0};
	struct frec_processes processes;
	struct frec_snapshot snapshot;
	struct made_file file;

	(void)state;
	make_small(&file, &options);
	open_file(&snapshot, &file);
	assert_int_equal(frec__snapshot_boottime(&snapshot, 2000000000), 7000000000);
	assert_int_equal(frec__snapshot_realtime(&snapshot, 2000000000), 1700000002000000000);
	assert_int_equal(frec__processes_init(&processes, &snapshot), 0);
	assert_ptr_equal(frec__processes_find(&processes, 125, 2000000000)->process,
			 snapshot.processes[0]);
	assert_non_null(frec__processes_find(&processes, 125, 1));
	assert_null(frec__processes_find(&processes, 124, 2000000000));
	assert_null(frec__processes_find(&processes, UINT32_MAX, 2000000000));
	frec__processes_deinit(&processes);
	frec__snapshot_close(&snapshot);
	free(file.data);
}

static void order(void **state)
{
	(void)state;
	check_order(0);
}

// The order is the same if only a part of each chunk is in memory.
static void order_in_windows(void **state)
{
	(void)state;
	for (size_t window = 1; window < 300; window += 7)
		check_order(window);
}

// The file has so many rings that one chunk of each would exceed FREC_LIMIT_RINGS.
static void many_rings(void **state)
{
	enum { RINGS = 80 };
	const struct hostile_kind *kind = hostile_kinds;
	struct frec_snapshot snapshot;
	struct frec_merge merge;
	struct made_file file;
	uint64_t records = 0, expected = 0, memory = 0;

	(void)state;
	while (strcmp(kind->name, "cpus"))
		kind++;
	kind->make(&file, RINGS);
	open_file(&snapshot, &file);
	for (size_t i = 0; i < snapshot.chunk_count; i++)
		expected += snapshot.chunks[i].count;
	assert_int_equal(frec__merge_init(&merge, &snapshot), 0);
	while (frec__merge_next(&merge)) {
		if (!records++)
			for (size_t i = 0; i < merge.ring_count; i++)
				memory += merge.rings[i].data.capacity;
	}
	assert_int_equal(merge.ring_count, RINGS);
	assert_int_equal(records, expected);
	assert_in_range(memory, 1, FREC_LIMIT_RINGS(file.size));
	assert_int_equal(merge.problem.code, 0);
	// If fewer bytes may be read again, the remaining records are left out, and `problem` says
	// so.
	frec__merge_deinit(&merge);
	assert_int_equal(frec__merge_init(&merge, &snapshot), 0);
	merge.window_bytes_left = RINGS << 20;
	for (records = 0; frec__merge_next(&merge);)
		records++;
	assert_in_range(records, 1, expected - 1);
	assert_int_equal(merge.problem.code, -E2BIG);
	frec__merge_deinit(&merge);
	frec__snapshot_close(&snapshot);
	free(file.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order),	  cmocka_unit_test(order_in_windows),
		cmocka_unit_test(many_rings),	  cmocka_unit_test(parts_are_what_the_schema_says),
		cmocka_unit_test(broken_records), cmocka_unit_test(clocks_and_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
