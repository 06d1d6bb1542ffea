// SPDX-License-Identifier: MIT
// Proves how far back a ring reaches and how far it would without stacks, in rings that are filled
// with records here.
#include <linux/perf_event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/clocks.h"
#include "recorder/rings/perf_ring.h"
#include "recorder/history.h"
#include "recorder/snapshot/sample_parts.h"

#define RING 65536
#define CALLCHAIN_ID 7u
#define STACK_ID 8u
#define PLAIN_ID 9u
#define CRASH_ID 10u

#define TYPE (FREC_SAMPLE_TYPE | PERF_SAMPLE_RAW)
#define CHAIN PERF_SAMPLE_CALLCHAIN
#define STACK (PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER)

// Makes a record with `chain` addresses if it has a callchain, `raw` bytes of payload, and `tail`
// bytes after it. Returns its size.
static size_t make(uint8_t *record, uint64_t id, uint64_t type, uint64_t chain, uint32_t raw,
		   size_t tail)
{
	struct frec_sample *sample = (void *)record;
	size_t at = offsetof(struct frec_sample, raw_size);

	memset(record, 0, 4096);
	if (type & PERF_SAMPLE_PERIOD)
		at += 8;
	if (type & CHAIN) {
		memcpy(record + at, &chain, 8);
		at += 8 + 8 * chain;
	}
	memcpy(record + at, &raw, 4);
	at += 4 + raw + tail;
	sample->id = id;
	sample->header =
		(struct perf_event_header){.type = PERF_RECORD_SAMPLE, .size = (uint16_t)at};
	return at;
}

static size_t stacks_of(const struct perf_event_header *record, uint64_t type)
{
	return frec__sample_stacks(&(struct frec_source){.sample_type = TYPE | type}, record);
}

static size_t stacks(uint64_t type, uint64_t chain, uint32_t raw, size_t tail)
{
	_Alignas(8) uint8_t record[4096];

	make(record, 1, type, chain, raw, tail);
	return stacks_of((const void *)record, type);
}

static void records(void **state)
{
	_Alignas(8) uint8_t record[4096];
	struct perf_event_header *header = (void *)record;
	uint64_t many = UINT64_MAX / 8;

	(void)state;
	assert_int_equal(stacks(0, 0, 20, 0), 0);
	assert_int_equal(stacks(PERF_SAMPLE_PERIOD, 0, 20, 0), 0);
	assert_int_equal(stacks(CHAIN, 0, 20, 0), 8);
	assert_int_equal(stacks(CHAIN, 5, 20, 0), 48);
	assert_int_equal(stacks(STACK, 0, 20, 1024), 1024);
	assert_int_equal(stacks(STACK | CHAIN | PERF_SAMPLE_PERIOD, 3, 4, 800), 832);
	// A torn record counts as if it had no stacks, and is not read past its end.
	make(record, 1, CHAIN, 3, 20, 0);
	header->type = PERF_RECORD_LOST;
	assert_int_equal(stacks_of(header, CHAIN), 0);
	header->type = PERF_RECORD_SAMPLE;
	memcpy(record + offsetof(struct frec_sample, raw_size), &many, 8);
	assert_int_equal(stacks_of(header, CHAIN), 0);
	many = header->size / 8;
	memcpy(record + offsetof(struct frec_sample, raw_size), &many, 8);
	assert_int_equal(stacks_of(header, CHAIN), 0);
	header->size = offsetof(struct frec_sample, raw_size);
	assert_int_equal(stacks_of(header, CHAIN), 0);
	assert_int_equal(stacks_of(header, 0), 0);
	make(record, 1, 0, 0, 20, 0);
	header->size -= 8;
	assert_int_equal(stacks_of(header, 0), 0);
}

static struct frec_ring ring = {.type = &frec__perf_ring_type, .fd = -1, .size = RING};

static void put(uint64_t *head, uint64_t id, uint64_t type, uint64_t chain, uint32_t raw,
		size_t tail)
{
	uint8_t *data = (uint8_t *)ring.map + sysconf(_SC_PAGESIZE);
	_Alignas(8) uint8_t record[4096];
	size_t size = make(record, id, type, chain, raw, tail);

	*head -= size;
	for (size_t i = 0; i < size; i++)
		data[(*head + i) & (RING - 1)] = record[i];
	((struct perf_event_mmap_page *)ring.map)->data_head = *head;
}

static void near(double value, double expected)
{
	if (value < expected * 0.98 || value > expected * 1.02)
		fail_msg("%f instead of %f", value, expected);
}

static void rings(void **state)
{
	static uint64_t ids[] = {CALLCHAIN_ID, STACK_ID, PLAIN_ID, CRASH_ID};
	static struct frec_source sources[4];
	struct frec_ring_set set = {.ring = &ring, .count = 1, .size = RING};
	const struct frec_source_set all = {.rings = &set, .source = sources, .count = 4};
	uint64_t since = frec__monotonic() - UINT64_C(100000000000);
	struct frec_history history;
	uint64_t head = 0;

	(void)state;
	ring.map = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE) + RING, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < 4; i++)
		sources[i] =
			(struct frec_source){.opened = 1, .perf_id = &ids[i], .sample_type = TYPE};
	assert_int_equal(frec__capture_reserve(&set.capture, 1, RING, 4), 0);

	// Nothing was written, so it is not known how long a full ring would last.
	frec__history_read(&all, since, &history);
	near(history.held, 100);
	assert_true(history.full == 0 && history.without_stacks == 0 && !history.stacks);

	// A quarter of the ring is written in 100 seconds.
	for (int i = 0; i < 128; i++)
		put(&head, PLAIN_ID, 0, 0, 84, 0); // 128 bytes
	frec__history_read(&all, since, &history);
	assert_int_equal(history.written, RING / 4);
	near(history.held, 100);
	near(history.full, 400);
	near(history.without_stacks, 400);
	assert_false(history.stacks);

	// As many bytes are written again. Half of each record is a callchain, so callchains are a
	// quarter of all bytes.
	frec__source_set_stack(&sources[0], &(struct frec_stack_choice){.frame_pointers = true});
	for (int i = 0; i < 64; i++)
		put(&head, CALLCHAIN_ID, CHAIN, 15, 84, 0);
	frec__history_read(&all, since, &history);
	assert_true(history.stacks);
	near(history.full, 200);
	near(history.without_stacks, 200 / 0.75);

	// And as many once more. Seven eighths of each record are stack, so callchains and stacks
	// are 8192 + 14336 of 49152 bytes. The stack of a crash is recorded in any case and does
	// not count.
	frec__source_set_stack(&sources[1], &(struct frec_stack_choice){.bytes = 512});
	for (int i = 0; i < 16; i++)
		put(&head, STACK_ID, STACK, 0, 84, 896);
	frec__source_set_stack(&sources[3], &(struct frec_stack_choice){.bytes = 512});
	sources[3].filter = "sig==11";
	frec__history_read(&all, since, &history);
	near(history.full, 400.0 / 3);
	near(history.without_stacks, 400.0 / 3 / (1 - (8192.0 + 14336) / 49152));
	for (int i = 0; i < 16; i++)
		put(&head, CRASH_ID, STACK, 0, 84, 896);
	frec__history_read(&all, since, &history);
	near(history.full, 100);
	near(history.without_stacks, 100 / (1 - (8192.0 + 14336) / 65536));

	// A ring that was overwritten does not hold everything since the start.
	for (int i = 0; i < 512; i++)
		put(&head, PLAIN_ID, 0, 0, 84, 0);
	frec__history_read(&all, since, &history);
	near(history.held, 50);
	near(history.without_stacks, 50);
	assert_int_equal(history.stacks_missing, 0);
	sources[2].stack_missing = true;
	frec__history_read(&all, since, &history);
	assert_int_equal(history.stacks_missing, 1);

	frec__capture_deinit(&set.capture, RING);
	munmap(ring.map, (size_t)sysconf(_SC_PAGESIZE) + RING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records),
		cmocka_unit_test(rings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
