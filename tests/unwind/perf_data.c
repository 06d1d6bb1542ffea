// SPDX-License-Identifier: MIT
// Writes a perf.data file with one event, a process with one thread, its mappings, and a sample for
// each stack.
#include "tests/unwind/perf_data.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PID 1000
#define RECORD_MAX 65528

struct section {
	uint64_t offset, size;
};

struct head {
	char magic[8];
	uint64_t size, attr_size;
	struct section attrs, data, event_types;
	uint64_t features[4];
};

struct attr {
	struct perf_event_attr attr;
	struct section ids;
};

struct record {
	size_t size;
	uint8_t bytes[RECORD_MAX];
};

static void put(struct record *record, const void *bytes, size_t size)
{
	if (size > sizeof(record->bytes) - record->size)
		abort();
	memcpy(record->bytes + record->size, bytes, size);
	record->size += size;
}

static void put_number(struct record *record, uint64_t value)
{
	put(record, &value, 8);
}

static void start(struct record *record, uint32_t type, uint16_t misc)
{
	const struct perf_event_header header = {.type = type, .misc = misc};

	record->size = 0;
	put(record, &header, sizeof(header));
}

static uint64_t write_record(struct record *record, FILE *file)
{
	static const uint64_t zero;

	put(record, &zero, -record->size & 7);
	((struct perf_event_header *)record->bytes)->size = (uint16_t)record->size;
	return fwrite(record->bytes, 1, record->size, file);
}

// Writes all mappings, even those without code, because perf reads call frame information through
// them.
static uint64_t write_mappings(struct record *record, const char *maps, FILE *file)
{
	const uint32_t ids[] = {PID, PID};
	uint64_t size = 0;

	for (; *maps; maps = strchr(maps, '\n') + 1) {
		uint64_t from, to, offset;
		char protection[8], path[4096] = "//anon";

		if (sscanf(maps, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %*s %*s%*[ ]%4095[^\n]",
			   &from, &to, protection, &offset, path) < 4)
			break;
		start(record, PERF_RECORD_MMAP,
		      PERF_RECORD_MISC_USER |
			      (protection[2] == 'x' ? 0 : PERF_RECORD_MISC_MMAP_DATA));
		put(record, ids, sizeof(ids));
		put_number(record, from);
		put_number(record, to - from);
		put_number(record, offset);
		put(record, path, strlen(path) + 1);
		size += write_record(record, file);
	}
	return size;
}

static uint64_t write_sample(struct record *record, const struct recorded_stack *stack,
			     uint64_t time, FILE *file)
{
	const struct frec_registers *machine = frec__registers_find("x86_64");
	const uint32_t ids[] = {PID, PID};
	const size_t before_pc =
		(size_t)__builtin_popcountll(stack->mask & ((1ull << machine->pc) - 1));
	// If the stack does not fit into a record, its upper end is left out.
	const size_t head = sizeof(struct perf_event_header) + 8 * (7 + stack->count);
	const uint64_t room = (RECORD_MAX - head) & ~7ul, size = stack->stack.size & ~7ul;
	const uint64_t copied = size < room ? size : room;

	start(record, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER);
	put_number(record, stack->values[before_pc]);
	put(record, ids, sizeof(ids));
	put_number(record, time);
	put_number(record, 0); // call chain
	put_number(record, PERF_SAMPLE_REGS_ABI_64);
	put(record, stack->values, 8 * stack->count);
	put_number(record, copied);
	put(record, stack->stack.data, copied);
	if (copied)
		put_number(record, copied);
	return write_record(record, file);
}

int perf_data_save(const struct recording *recording, const char *path)
{
	const struct attr attr = {.attr = {.type = PERF_TYPE_SOFTWARE,
					   .size = sizeof(attr.attr),
					   .config = PERF_COUNT_SW_CPU_CLOCK,
					   .sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID |
							  PERF_SAMPLE_TIME | PERF_SAMPLE_CALLCHAIN |
							  PERF_SAMPLE_REGS_USER |
							  PERF_SAMPLE_STACK_USER,
					   .sample_regs_user = RECORDING_MASK,
					   .sample_stack_user = RECORD_MAX,
					   .exclude_callchain_user = 1}};
	struct head head = {.magic = "PERFILE2",
			    .size = sizeof(head),
			    .attr_size = sizeof(attr),
			    .attrs = {sizeof(head), sizeof(attr)},
			    .data = {sizeof(head) + sizeof(attr), 0}};
	static struct record record;
	FILE *file = fopen(path, "we");

	if (!file)
		return -errno;
	fwrite(&head, sizeof(head), 1, file);
	fwrite(&attr, sizeof(attr), 1, file);
	head.data.size = write_mappings(&record, recording->maps_text, file);
	for (size_t i = 0; i < recording->stack_count; i++)
		head.data.size += write_sample(&record, &recording->stacks[i], i + 1, file);
	rewind(file);
	fwrite(&head, sizeof(head), 1, file);
	return fclose(file) ? -EIO : 0;
}
