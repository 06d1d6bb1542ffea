// SPDX-License-Identifier: MIT
// Prints the raw stack data of a snapshot's records, a JSON object per line.
//
//	record_stacks FILE.frec PID
//
// The first object has the process's mappings, and then there is one for each of its records.
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/read/records.h"
#include "recorder/rings/registers.h"

static uint64_t word(const uint8_t *bytes, size_t n)
{
	uint64_t value;

	memcpy(&value, bytes + 8 * n, sizeof(value));
	return value;
}

static void print_maps(const struct frec_snapshot *snapshot, uint32_t pid)
{
	const char *comma = "";

	printf("{\"maps\": [");
	for (size_t i = 0; i < snapshot->process_count; i++) {
		const Flightrec__Process *process = snapshot->processes[i];

		for (size_t m = 0; process->pid == pid && m < process->n_map; m++) {
			printf("%s[%" PRIu64 ", %" PRIu64 ", \"%.*s\"]", comma,
			       process->map[m]->start, process->map[m]->end,
			       (int)process->map[m]->path.len,
			       (const char *)process->map[m]->path.data);
			comma = ", ";
		}
	}
	printf("]}\n");
}

// Returns the n-th register of the machine, or 0 if it was not recorded.
static uint64_t value_of(const struct frec_record *record, unsigned int n)
{
	uint64_t below = record->register_mask & ((UINT64_C(1) << n) - 1);

	return record->register_mask >> n & 1
		       ? word(record->registers, (size_t)__builtin_popcountll(below))
		       : 0;
}

static void print_record(const struct frec_record *record)
{
	printf("{\"event\": \"%s:%s\", \"sample_type\": %" PRIu64 ", \"size\": %zu, \"chain\": [",
	       record->source->system, record->source->name, record->source->sample_type,
	       record->size);
	for (size_t i = 0; i < record->callchain_count; i++)
		printf("%s%" PRIu64, i ? ", " : "", word(record->callchain, i));
	printf("], \"abi\": %" PRIu64, record->register_abi);
	if (record->register_abi)
		printf(", \"ip\": %" PRIu64 ", \"sp\": %" PRIu64,
		       value_of(record, frec__perf_user_stack_pointer + 1),
		       value_of(record, frec__perf_user_stack_pointer));
	printf(", \"stack\": \"");
	for (size_t i = 0; i < record->stack_size; i++)
		printf("%02x", record->stack[i]);
	printf("\"}\n");
}

int main(int argc, char **argv)
{
	struct frec_snapshot snapshot;
	struct frec_chunk_data data = {0};
	struct frec_error error = {0};
	uint32_t pid = argc == 3 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
	int r = pid ? frec__snapshot_open(&snapshot, argv[1], &error) : -1;

	if (r) {
		fprintf(stderr, "record_stacks FILE.frec PID: %s\n", error.message);
		return 1;
	}
	print_maps(&snapshot, pid);
	for (size_t i = 0; i < snapshot.chunk_count && !r; i++) {
		struct frec_record record = {0};

		r = frec__snapshot_read_chunk(&snapshot, &snapshot.chunks[i], &data, &error);
		for (size_t at = 0; at < data.size && !r; at += record.size) {
			r = frec__record_next(&snapshot, data.data + at, data.size - at, &record);
			if (!r && record.source && record.pid == pid)
				print_record(&record);
		}
	}
	if (r)
		fprintf(stderr, "%s: %d: %s\n", argv[1], r, error.message);
	free(data.data);
	frec__snapshot_close(&snapshot);
	return r != 0;
}
