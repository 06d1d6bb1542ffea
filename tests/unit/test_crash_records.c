// SPDX-License-Identifier: MIT
// Proves that the record of a crash is kept apart from the rings, within bounds and without the
// stack bytes that the kernel could not read, that it becomes the crash of a snapshot whose rings
// have no such record, and that no other process with that pid gets it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/crash_records.h"
#include "recorder/snapshot/crash_finder.h"
#include "recorder/snapshot/crash_state.h"
#include "recorder/snapshot/sample_parts.h"

#define STACK 4096
#define REGISTERS 0x3 // a mask

static struct frec_crash_records records;

// A record as the kernel writes it, of which `used` bytes of stack could be read.
struct record {
	struct perf_event_header header;
	uint64_t id;
	uint32_t pid, tid;
	uint64_t time;
	uint32_t cpu, reserved, raw_size, raw;
	uint64_t abi, registers[2], stack_size;
	uint8_t stack[STACK];
	uint64_t used;
};

static struct record made(uint32_t pid, uint64_t time, uint64_t used)
{
	struct record record = {.header = {.type = PERF_RECORD_SAMPLE, .size = sizeof(record)},
				.pid = pid,
				.tid = pid + 1,
				.time = time,
				.raw_size = 4,
				.abi = 2,
				.registers = {0x1111, 0x2222},
				.stack_size = STACK,
				.used = used};

	memset(record.stack, (int)(pid & 0x7f), used);
	return record;
}

static int setup(void **state)
{
	const struct frec_source signal = {.listed.kind = FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT,
					   .filter = "fatal",
					   .sample_type = FREC_SAMPLE_TYPE | PERF_SAMPLE_RAW |
							  PERF_SAMPLE_REGS_USER |
							  PERF_SAMPLE_STACK_USER,
					   .sample_regs_user = REGISTERS};
	const struct frec_source details = {.listed.kind = FLIGHTREC__SOURCE_KIND__SOURCE_CRASH,
					    .sample_type = FREC_SAMPLE_TYPE | PERF_SAMPLE_RAW};

	(void)state;
	frec__crash_records_init(&records, &signal, &details, NULL, 4 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	frec__crash_records_deinit(&records);
	return 0;
}

static void keep(const struct record *record)
{
	frec__crash_records_keep(&records, &record->header, false);
}

static struct frec_kept_crash take(uint32_t pid, uint64_t life)
{
	return frec__crash_records_take(&records, &(struct frec_reason){.pid = pid, .life = life});
}

static void the_unread_part_is_dropped(void **state)
{
	static const uint64_t used[] = {0, 1, 8, 100, STACK - 1, STACK};

	(void)state;
	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++) {
		struct record record = made(100, 5, used[i]);
		struct frec_perf_sample parts;
		struct frec_kept_crash kept;

		keep(&record);
		kept = take(100, 0);
		assert_non_null(kept.sample);
		assert_true(kept.sample->size <= record.header.size);
		assert_true(kept.sample->size <= sizeof(record) - STACK + used[i] + 8);
		assert_int_equal(kept.sample->size % 8, 0);
		assert_int_equal(frec__sample_read(&records.signal, kept.sample, &parts), 0);
		assert_int_equal(parts.tid, 101);
		assert_int_equal(parts.time, 5);
		assert_non_null(parts.registers);
		assert_memory_equal(parts.registers, record.registers, sizeof(record.registers));
		assert_int_equal(parts.stack_used, used[i]);
		if (used[i])
			assert_memory_equal(parts.stack, record.stack, used[i]);
		frec__kept_crash_deinit(&kept);
	}
	assert_int_equal(records.count, 0);
}

static void the_newest_of_a_process_counts(void **state)
{
	struct record first = made(100, 5, 100), second = made(100, 6, 50);
	struct frec_kept_crash kept;

	(void)state;
	keep(&first);
	keep(&second);
	assert_int_equal(records.count, 1);
	kept = take(100, 0);
	assert_int_equal(((const struct frec_sample *)kept.sample)->time, 6);
	frec__kept_crash_deinit(&kept);
	kept = take(100, 0);
	assert_null(kept.sample);
}

// If there are too many, the first records are kept, because the first crash is often the cause of
// the others.
static void the_first_are_kept(void **state)
{
	static struct frec_deaths deaths;
	struct frec_kept_crash kept;
	struct record record;

	(void)state;
	for (uint32_t pid = 1; pid <= FREC_DEATHS_MAX + 20; pid++) {
		record = made(pid, pid, STACK);
		keep(&record);
	}
	assert_int_equal(records.count, FREC_DEATHS_MAX);
	assert_int_equal(records.lost, 20);
	kept = take(1, 0);
	assert_non_null(kept.sample);
	frec__kept_crash_deinit(&kept);
	// A record that nobody takes is dropped after a while, unless the snapshot of its death is
	// still to come.
	deaths.death[deaths.count++].reason.pid = 2;
	frec__crash_records_sweep(&records, &deaths);
	assert_int_equal(records.count, FREC_DEATHS_MAX - 1);
	for (size_t i = 0; i < records.count; i++)
		records.kept[i].since = 0;
	frec__crash_records_sweep(&records, &deaths);
	assert_int_equal(records.count, 1);
	assert_int_equal(records.kept[0].pid, 2);
}

static uint64_t time_of(const struct frec_kept_crash *kept)
{
	return kept->sample ? ((const struct frec_sample *)kept->sample)->time : 0;
}

// Records of two processes that had the same pid, one after the other.
static void reused_pids(void **state)
{
	FREC_PROCESS_TABLE struct frec_process_table processes = {0};
	struct record first = made(100, 5, 100), second = made(100, 25, 50);
	static struct frec_deaths deaths;
	struct frec_kept_crash kept;
	uint64_t lives[2];

	(void)state;
	records.processes = &processes;
	frec__process_table_fork(&processes, 100, 0, 100, 1);
	lives[0] = frec__process_table_find(&processes, 100)->life;
	frec__process_table_exit(&processes, 100, 100, 10);
	frec__process_table_fork(&processes, 100, 0, 100, 20);
	lives[1] = frec__process_table_find(&processes, 100)->life;
	keep(&first);
	keep(&second);
	assert_int_equal(records.count, 2);
	kept = take(100, lives[1]);
	assert_int_equal(time_of(&kept), 25);
	frec__kept_crash_deinit(&kept);
	// The death of one process is no reason to keep the record of the other one.
	keep(&second);
	for (size_t i = 0; i < records.count; i++)
		records.kept[i].since = 0;
	deaths.count = 1;
	deaths.death[0].reason = (struct frec_reason){.pid = 100, .life = lives[1]};
	frec__crash_records_sweep(&records, &deaths);
	assert_int_equal(records.count, 1);
	assert_int_equal(records.kept[0].time, 25);
	// It is not handed over for the other one either.
	kept = take(100, lives[0]);
	assert_int_equal(time_of(&kept), 0);
	kept = take(100, lives[1]);
	assert_int_equal(time_of(&kept), 25);
	frec__kept_crash_deinit(&kept);
	// A record can come before the birth of its process is known.
	first = made(200, 5, 100);
	keep(&first);
	frec__process_table_fork(&processes, 200, 0, 200, 1);
	kept = take(200, frec__process_table_find(&processes, 200)->life);
	assert_int_equal(time_of(&kept), 5);
	frec__kept_crash_deinit(&kept);
	records.processes = NULL;
}

// A crash in the rings is not that of a later process with the same pid.
static void a_later_process_crashed_differently(void **state)
{
	FREC_PROCESS_TABLE struct frec_process_table processes = {0};
	struct frec_reason reason = {.pid = 100};
	struct frec_crash_finder finder = {.reason = &reason, .processes = &processes};
	struct record record = made(100, 5, 100);

	(void)state;
	frec__process_table_fork(&processes, 100, 0, 100, 1);
	frec__process_table_exit(&processes, 100, 100, 10);
	frec__process_table_fork(&processes, 100, 0, 100, 20);
	reason.life = frec__process_table_find(&processes, 100)->life;
	frec__crash_finder_record(&finder, &records.signal, &record.header);
	assert_null(finder.sample);
	record = made(100, 25, 100);
	frec__crash_finder_record(&finder, &records.signal, &record.header);
	assert_ptr_equal(finder.sample, &record);
}

static struct perf_event_header *large(void)
{
	struct perf_event_header *record = calloc(1, UINT16_MAX);

	record->size = UINT16_MAX;
	return record;
}

static void bytes_are_bounded(void **state)
{
	// Each has two large records.
	const size_t most = FREC_CRASH_BYTES_MAX / (2 * UINT16_MAX);
	struct record first = made(1, 1, STACK), second = made(2, 1, STACK);

	(void)state;
	while (records.count < most - 1)
		records.kept[records.count++] = (struct frec_kept_crash){
			.pid = 1000, .sample = large(), .details = large()};
	keep(&first);
	assert_int_equal(records.count, most);
	records.kept[records.count++] =
		(struct frec_kept_crash){.pid = 1000, .sample = large(), .details = large()};
	keep(&second);
	assert_int_equal(records.count, most + 1);
	assert_int_equal(records.lost, 1);
}

// Crashes of a user leave room for those of root.
static void users_have_shares(void **state)
{
	FREC_PROCESS_TABLE struct frec_process_table processes = {0};
	struct record record = made(9999, 1, STACK);

	(void)state;
	records.processes = &processes;
	for (uint32_t pid = 1; pid <= FREC_DEATHS_MAX; pid++) {
		struct record crash = made(pid, 1, STACK);

		frec__process_table_fork(&processes, pid, 0, pid, 1);
		frec__process_table_find(&processes, pid)->payer = 70000;
		keep(&crash);
	}
	assert_int_equal(records.count, FREC_DEATHS_MAX / 4);
	frec__process_table_fork(&processes, 9999, 0, 9999, 1);
	frec__process_table_find(&processes, 9999)->payer = 0;
	keep(&record);
	assert_int_equal(records.count, FREC_DEATHS_MAX / 4 + 1);
	records.processes = NULL;
}

// Records whose sizes are wrong are not kept.
static void garbage(void **state)
{
	struct record record = made(1, 1, STACK);

	(void)state;
	record.stack_size = STACK * 2;
	keep(&record);
	record = made(1, 1, STACK);
	record.header.size = 40;
	keep(&record);
	record = made(1, 1, STACK);
	record.raw_size = 0x7fffffff;
	keep(&record);
	assert_int_equal(records.count, 0);
}

// The crash finder of a snapshot finds the crash in a record that was kept apart, as in one from
// the rings, but only if the record is from the thread that died.
static void it_becomes_the_crash(void **state)
{
	const struct frec_reason reason = {.pid = 100, .tid = 101},
				 other = {.pid = 100, .tid = 102};
	FREC_PROCESS_TABLE struct frec_process_table processes = {0};
	struct frec_crash_finder finder = {.reason = &reason, .processes = &processes};
	struct record record = made(100, 5, 100);
	struct frec_crash_state crash;
	struct frec_kept_crash kept;

	(void)state;
	keep(&record);
	kept = take(100, 0);
	frec__crash_finder_record(&finder, &records.signal, kept.sample);
	frec__crash_state(&finder, &crash);
	assert_int_equal(crash.time, 5);
	assert_int_equal(crash.registers.count, 2);
	assert_int_equal(crash.stack.size, 100);
	finder = (struct frec_crash_finder){.reason = &other, .processes = &processes};
	frec__crash_finder_record(&finder, &records.signal, kept.sample);
	assert_null(finder.sample);
	frec__kept_crash_deinit(&kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_unread_part_is_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(the_newest_of_a_process_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(the_first_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(reused_pids, setup, teardown),
		cmocka_unit_test_setup_teardown(a_later_process_crashed_differently, setup,
						teardown),
		cmocka_unit_test_setup_teardown(bytes_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(users_have_shares, setup, teardown),
		cmocka_unit_test_setup_teardown(garbage, setup, teardown),
		cmocka_unit_test_setup_teardown(it_becomes_the_crash, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
