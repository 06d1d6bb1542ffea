// SPDX-License-Identifier: MIT
// Builds the process table from the recording. The records may be hostile; perf_event_open(2)
// describes their layout.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "proto/bytes.h"
#include "recorder/import/import_internal.h"

#define KTHREADD 2

// Reads a text that may lack the NUL at its end.
static void read_text(struct frec_bytes *bytes, char *ret, size_t room)
{
	size_t left = frec__bytes_left(bytes);

	memset(ret, 0, room);
	memcpy(ret, bytes->at, left < room - 1 ? left : room - 1);
	ret[strnlen(ret, room - 1)] = 0;
}

static void add_map(struct frec_process_table *processes, const struct perf_event_header *header,
		    struct frec_bytes *bytes, uint64_t time)
{
	uint32_t pid = frec__bytes_u32(bytes), protection = PROT_EXEC;
	struct frec_mapping map = {.since = time};
	const uint8_t *which = NULL;
	char path[4096];

	frec__bytes_u32(bytes);
	map.start = frec__bytes_u64(bytes);
	map.end = map.start + frec__bytes_u64(bytes);
	map.offset = frec__bytes_u64(bytes);
	if (header->type == PERF_RECORD_MMAP2) {
		which = frec__bytes_take(bytes, 24);
		protection = frec__bytes_u32(bytes);
		frec__bytes_u32(bytes);
	} else if (header->misc & PERF_RECORD_MISC_MMAP_DATA) {
		protection = 0;
	}
	// Mappings of the kernel belong to no process, and data is not needed to unwind stacks.
	if (bytes->failed || !(protection & PROT_EXEC) || pid == UINT32_MAX ||
	    map.end <= map.start ||
	    (header->misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_KERNEL)
		return;
	if (which && header->misc & PERF_RECORD_MISC_MMAP_BUILD_ID &&
	    *which <= sizeof(map.build_id)) {
		map.build_id_size = *which;
		memcpy(map.build_id, which + 4, map.build_id_size);
	}
	read_text(bytes, path, sizeof(path));
	map.path = path;
	frec__process_table_map(processes, pid, &map);
}

void frec__import_process_record(struct frec_process_table *processes, const uint8_t *record,
				 size_t size, uint64_t time)
{
	struct frec_bytes bytes = frec__bytes(record, size);
	struct perf_event_header header;
	uint32_t pid, tid, parent;
	char name[16];

	memcpy(&header, frec__bytes_take(&bytes, sizeof(header)), sizeof(header));
	switch (header.type) {
	case PERF_RECORD_COMM:
		pid = frec__bytes_u32(&bytes);
		tid = frec__bytes_u32(&bytes);
		read_text(&bytes, name, sizeof(name));
		if (!bytes.failed)
			frec__process_table_comm(processes, pid, tid, name,
						 header.misc & PERF_RECORD_MISC_COMM_EXEC, time);
		break;
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		pid = frec__bytes_u32(&bytes);
		parent = frec__bytes_u32(&bytes);
		tid = frec__bytes_u32(&bytes);
		frec__bytes_u32(&bytes);
		if (!time)
			time = frec__bytes_u64(&bytes);
		if (bytes.failed)
			break;
		if (header.type == PERF_RECORD_FORK)
			frec__process_table_fork(processes, pid, parent, tid, time);
		else
			frec__process_table_exit(processes, pid, tid, time);
		break;
	default:
		add_map(processes, &header, &bytes, time);
	}
}

static int by_path(const void *a, const void *b)
{
	const struct frec_perf_build_id *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void frec__import_finish_processes(struct frec_process_table *processes,
				   struct frec_perf_data *data)
{
	if (data->build_id_count)
		qsort(data->build_ids, data->build_id_count, sizeof(*data->build_ids), by_path);
	for (size_t i = 0; i < FREC_PROCESS_BUCKETS; i++) {
		for (struct frec_process *process = processes->bucket[i]; process;
		     process = process->next) {
			process->kernel = process->pid == KTHREADD || process->ppid == KTHREADD;
			for (size_t k = 0; k < process->maps && data->build_id_count; k++) {
				struct frec_mapping *map = &process->map[k];
				struct frec_perf_build_id key = {.path = map->path}, *found;

				if (map->build_id_size)
					continue;
				found = bsearch(&key, data->build_ids, data->build_id_count,
						sizeof(key), by_path);
				if (!found)
					continue;
				map->build_id_size = found->size;
				memcpy(map->build_id, found->id, found->size);
			}
		}
	}
}
