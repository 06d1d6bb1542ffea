// SPDX-License-Identifier: MIT
// Proves the arithmetic of live copies: whatever is written to a ring while it is copied, and
// however full it is, no byte that a copy calls valid was changed, and only overwritten bytes are
// given up. The test writes the ring as the kernel would.
#include <linux/perf_event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/snapshot/records.h"
#include "recorder/rings/perf_ring.h"

#define SIZE 4096
#define LARGEST 256

static struct frec_ring ring;
static uint8_t *data;
static uint64_t head;	  /* as the kernel's rb->head: everything down to here is reserved */
static uint64_t position; /* how many bytes the writer has written */

static void publish(void)
{
	((struct perf_event_mmap_page *)ring.map)->data_head = head;
}

// Returns a byte whose value depends on its position in the endless stream.
static uint8_t stream_byte(uint64_t at)
{
	return (uint8_t)(at * 0x9e3779b97f4a7c15u >> 56);
}

static void reserve_and_write(size_t size)
{
	for (size_t i = 0; i < size; i++) {
		head--;
		data[head & (SIZE - 1)] = stream_byte(++position);
	}
}

static void emit(size_t size)
{
	reserve_and_write(size);
	publish();
}

static int setup(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	(void)state;
	ring = (struct frec_ring){.type = &frec__perf_ring_type, .fd = -1, .size = SIZE};
	ring.map =
		mmap(NULL, page + SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ring.map == MAP_FAILED)
		return -1;
	data = (uint8_t *)ring.map + page;
	head = position = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return munmap(ring.map, (size_t)sysconf(_SC_PAGESIZE) + SIZE);
}

static void restart(void)
{
	memset(data, 0, SIZE);
	head = position = 0;
	publish();
}

static struct frec_ring_copy *copied(void)
{
	static uint8_t bytes[SIZE];
	static struct frec_ring_copy copy;

	memset(bytes, 0xaa, sizeof(bytes));
	copy = (struct frec_ring_copy){.data = bytes};
	frec__ring_copy(&ring, &copy);
	return &copy;
}

static void check_valid(const struct frec_ring_copy *copy, uint64_t newest)
{
	for (size_t i = 0; i < copy->valid; i++)
		assert_int_equal(copy->data[i], stream_byte(newest - i));
}

static void quiet_rings(void **state)
{
	static const size_t written[] = {0,    40,	 SIZE / 2, SIZE - 8,
					 SIZE, SIZE + 8, 3 * SIZE, 3 * SIZE + 1000};

	(void)state;
	for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
		struct frec_ring_copy *copy;
		bool wraps = written[i] > SIZE;

		restart();
		emit(written[i]);
		copy = copied();
		assert_int_equal(frec__ring_written(&ring), written[i]);
		frec__ring_copy_finish(&ring, copy, true, LARGEST);
		assert_int_equal(copy->valid, wraps ? SIZE : written[i]);
		assert_int_equal(copy->wrapped, wraps);
		assert_int_equal(copy->written, written[i]);
		assert_int_equal(copy->during, 0);
		check_valid(copy, position);
	}
}

// Without a grace period it is unknown which records are still being written. A ring that is not
// full still yields all its bytes.
static void without_a_grace_period(void **state)
{
	struct frec_ring_copy *copy;

	(void)state;
	restart();
	emit(SIZE / 2);
	copy = copied();
	frec__ring_copy_finish(&ring, copy, false, LARGEST);
	assert_int_equal(copy->valid, SIZE / 2);
	assert_false(copy->wrapped);
	emit(SIZE);
	copy = copied();
	frec__ring_copy_finish(&ring, copy, false, LARGEST);
	assert_int_equal(copy->valid, SIZE - 4 * LARGEST);
	assert_true(copy->wrapped);
	// On a CPU that is offline, no record is still being written.
	ring.offline = true;
	copy = copied();
	frec__ring_copy_finish(&ring, copy, false, LARGEST);
	assert_int_equal(copy->valid, SIZE);
	ring.offline = false;
	// With a small ring and large records no byte is certain to be intact.
	frec__ring_copy_finish(&ring, copy, false, SIZE);
	assert_int_equal(copy->valid, 0);
}

static size_t random_size(size_t limit)
{
	return (size_t)random() % (limit / 8) * 8;
}

// A writer continues between the two steps of a copy. The test applies the writes to the copy, as
// if copying had been as slow as possible: every byte that was overwritten in the ring is
// overwritten in the copy too.
static void a_writer_at_work(void **state)
{
	(void)state;
	srandom(1);
	for (int round = 0; round < 3000; round++) {
		bool settled = round % 3;
		size_t before = random_size(4 * SIZE),
		       during = random_size(round % 7 ? SIZE : 3 * SIZE),
		       unseen = random_size(4 * LARGEST), later = random_size(SIZE), given_up;
		struct frec_ring_copy *copy;
		uint64_t newest;

		restart();
		emit(before);
		newest = position;
		copy = copied();
		assert_int_equal(copy->written, before);
		// The writer publishes `during` before the copy ends. It has written `unseen` too,
		// but does not publish it yet.
		emit(during);
		reserve_and_write(unseen);
		for (uint64_t i = 0; i < during + unseen && i < SIZE; i++) {
			// Byte i that was written since the copy began has overwritten this byte of
			// the copy.
			size_t place = SIZE - 1 - (size_t)i;

			copy->data[place] = 0x55;
		}
		copy->during = during;
		publish();
		emit(later);
		frec__ring_copy_finish(&ring, copy, settled, LARGEST);
		check_valid(copy, newest);
		assert_int_equal(copy->wrapped, copy->valid < before);
		given_up = during +
			   (settled && unseen + later < 4 * LARGEST ? unseen + later : 4 * LARGEST);
		assert_int_equal(copy->valid, given_up >= SIZE		 ? 0
					      : SIZE - given_up < before ? SIZE - given_up
									 : before);
	}
}

static void write_record(uint8_t *at, uint32_t type, uint16_t size)
{
	struct perf_event_header header = {.type = type, .size = size};

	memcpy(at, &header, sizeof(header));
}

static void records_are_walked_to_the_first_malformed_one(void **state)
{
	_Alignas(8) static uint8_t bytes[1024];
	struct frec_ring_copy copy = {.data = bytes, .valid = sizeof(bytes)};
	uint32_t offsets[64];

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(frec__records_find(&copy, offsets, 64), 0); // a header of zeroes
	write_record(bytes, PERF_RECORD_SAMPLE, 64);
	write_record(bytes + 64, PERF_RECORD_LOST, 56);
	write_record(bytes + 120, PERF_RECORD_SAMPLE, 48);
	write_record(bytes + 168, PERF_RECORD_SAMPLE, 200);
	assert_int_equal(frec__records_find(&copy, offsets, 64), 4);
	assert_int_equal(offsets[1], 64);
	assert_int_equal(offsets[3], 168);
	// at most as many as there is room for
	assert_int_equal(frec__records_find(&copy, offsets, 2), 2);
	for (copy.valid = 0; copy.valid <= 400; copy.valid++) {
		size_t whole = (copy.valid >= 64) + (copy.valid >= 120) + (copy.valid >= 168) +
			       (copy.valid >= 368);

		assert_int_equal(frec__records_find(&copy, offsets, 64), whole);
	}
	copy.valid = 400;
	write_record(bytes + 120, PERF_RECORD_SAMPLE, 40); // too small for a sample of ours
	assert_int_equal(frec__records_find(&copy, offsets, 64), 2);
	write_record(bytes + 120, PERF_RECORD_SAMPLE, 51); // the kernel's sizes are multiples of 8
	assert_int_equal(frec__records_find(&copy, offsets, 64), 2);
	write_record(bytes + 120, PERF_RECORD_LOST, 8);
	assert_int_equal(frec__records_find(&copy, offsets, 64), 2);
	write_record(bytes + 120, PERF_RECORD_SAMPLE, 65528);
	assert_int_equal(frec__records_find(&copy, offsets, 64), 2);
}

// The id that the kernel wrote is found and replaced by the recorder's, in both places where
// records have it.
static void ids(void **state)
{
	uint64_t first[] = {11, 0, 13}, second[] = {21, 22, 23};
	int fds[] = {-1, -1, -1};
	struct frec_source sources[] = {{.opened = 3, .fd = fds, .perf_id = first},
					{.opened = 3, .fd = fds, .perf_id = second}};
	_Alignas(8) uint8_t bytes[64] = {0};
	struct perf_event_header *record = (void *)bytes;
	struct frec_sample_id *trailer = (void *)(bytes + 64 - sizeof(*trailer));
	struct frec_sample *sample = (void *)bytes;
	struct frec_id_map map;

	(void)state;
	assert_int_equal(frec__id_map_init(&map, sources, 2), 0);
	assert_int_equal(frec__id_map_find(&map, 13), 0);
	assert_int_equal(frec__id_map_find(&map, 22), 1);
	assert_int_equal(frec__id_map_find(&map, 0), -1);
	assert_int_equal(frec__id_map_find(&map, 12), -1);
	frec__id_map_deinit(&map);
	*sample = (struct frec_sample){
		.header = {.type = PERF_RECORD_SAMPLE, .size = 64}, .id = 5, .pid = 6, .time = 7};
	assert_int_equal(frec__record_id(record), 5);
	assert_int_equal(frec__record_pid(record), 6);
	assert_int_equal(frec__record_time(record), 7);
	frec__record_set_id(record, 1);
	assert_int_equal(sample->id, 1);
	memset(bytes, 0, sizeof(bytes));
	*record = (struct perf_event_header){.type = PERF_RECORD_LOST, .size = 64};
	*trailer = (struct frec_sample_id){.pid = 8, .time = 9, .id = 10};
	assert_int_equal(frec__record_id(record), 10);
	assert_int_equal(frec__record_pid(record), 8);
	assert_int_equal(frec__record_time(record), 9);
	frec__record_set_id(record, 2);
	assert_int_equal(trailer->id, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quiet_rings),
		cmocka_unit_test(without_a_grace_period),
		cmocka_unit_test(a_writer_at_work),
		cmocka_unit_test(records_are_walked_to_the_first_malformed_one),
		cmocka_unit_test(ids),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
