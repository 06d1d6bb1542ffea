// SPDX-License-Identifier: MIT
// A k-way merge. Within a CPU the order is that of its ring, not that of the times: a record made
// in an interrupt lands before the record that it interrupted, with a later time, and the
// interrupted one then follows at once.
#include "export/merge.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static int compare_cpus(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

int frec__merge_init(struct frec_merge *merge, struct frec_snapshot *snapshot)
{
	uint32_t *numbers = calloc(snapshot->chunk_count + 1, sizeof(*numbers));
	size_t count = 0;

	*merge = (struct frec_merge){.snapshot = snapshot, .to = UINT64_MAX};
	if (!numbers)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->chunk_count; i++) {
		numbers[i] = snapshot->chunks[i].cpu;
		merge->bytes_total += snapshot->chunks[i].part_size;
	}
	qsort(numbers, snapshot->chunk_count, sizeof(*numbers), compare_cpus);
	for (size_t i = 0; i < snapshot->chunk_count; i++) {
		if (!count || numbers[count - 1] != numbers[i])
			numbers[count++] = numbers[i];
	}
	merge->cpus = calloc(count + 1, sizeof(*merge->cpus));
	merge->heap = calloc(count + 1, sizeof(*merge->heap));
	for (size_t i = 0; merge->cpus && i < count; i++)
		merge->cpus[i].cpu = numbers[i];
	free(numbers);
	if (!merge->cpus || !merge->heap) {
		frec__merge_deinit(merge);
		return -ENOMEM;
	}
	merge->cpu_count = count;
	return 0;
}

void frec__merge_deinit(struct frec_merge *merge)
{
	for (size_t i = 0; i < merge->cpu_count; i++)
		free(merge->cpus[i].data.data);
	free(merge->cpus);
	free(merge->heap);
	merge->cpus = NULL;
	merge->heap = NULL;
	merge->cpu_count = merge->heap_size = 0;
}

static bool before(const struct frec_merge_cpu *a, const struct frec_merge_cpu *b)
{
	if (a->record.time != b->record.time)
		return a->record.time < b->record.time;
	return a->cpu < b->cpu;
}

static void sift_down(struct frec_merge *merge, size_t i)
{
	for (;;) {
		size_t least = i;
		struct frec_merge_cpu *cpu;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < merge->heap_size;
		     child++) {
			if (before(merge->heap[child], merge->heap[least]))
				least = child;
		}
		if (least == i)
			return;
		cpu = merge->heap[i];
		merge->heap[i] = merge->heap[least];
		merge->heap[least] = cpu;
		i = least;
	}
}

static bool next_chunk(struct frec_merge *merge, struct frec_merge_cpu *cpu)
{
	const struct frec_snapshot *snapshot = merge->snapshot;
	struct frec_error *trouble = merge->trouble.code ? NULL : &merge->trouble;

	while (cpu->next_chunk < snapshot->chunk_count) {
		cpu->chunk = &snapshot->chunks[cpu->next_chunk++];
		if (cpu->chunk->cpu != cpu->cpu)
			continue;
		merge->bytes_done += cpu->chunk->part_size;
		if (cpu->chunk->last < merge->from || cpu->chunk->first > merge->to)
			continue;
		cpu->at = 0;
		if (!frec__snapshot_read_chunk(merge->snapshot, cpu->chunk, &cpu->data, trouble))
			return true;
	}
	return false;
}

// Finds the CPU's next sample of a known source. Returns false when it has no more.
static bool advance(struct frec_merge *merge, struct frec_merge_cpu *cpu)
{
	for (;;) {
		int result = frec__record_next(merge->snapshot,
					       cpu->data.size ? cpu->data.data + cpu->at : NULL,
					       cpu->data.size - cpu->at, &cpu->record);

		if ((result == -EBADMSG || result == -EPROTO) && !merge->trouble.code)
			frec__error(&merge->trouble, result,
				    "%s: byte %" PRIu64 ": in these records of CPU %" PRIu32
				    ", byte %zu is %s",
				    merge->snapshot->name, cpu->chunk->offset, cpu->cpu, cpu->at,
				    result == -EBADMSG
					    ? "not a record; the rest of this part was not read"
					    : "a record of another form than its source says; "
					      "it was left out");
		if (result == -ENODATA || result == -EBADMSG) {
			if (!next_chunk(merge, cpu))
				return false;
			continue;
		}
		cpu->at += cpu->record.size;
		if (result || !cpu->record.sample)
			continue;
		if (!cpu->record.source) {
			if (!merge->unknown++ && !merge->trouble.code)
				frec__error(&merge->trouble, -EBADMSG,
					    "%s: byte %" PRIu64
					    ": the file does not describe source %" PRIu64
					    ", to which a record belongs; it was left out",
					    merge->snapshot->name, cpu->chunk->offset,
					    cpu->record.source_id);
			continue;
		}
		return true;
	}
}

static void start(struct frec_merge *merge)
{
	merge->started = true;
	for (size_t i = 0; i < merge->cpu_count; i++) {
		if (advance(merge, &merge->cpus[i]))
			merge->heap[merge->heap_size++] = &merge->cpus[i];
	}
	for (size_t i = merge->heap_size; i-- > 0;)
		sift_down(merge, i);
}

const struct frec_record *frec__merge_next(struct frec_merge *merge)
{
	if (!merge->started) {
		start(merge);
	} else if (merge->heap_size) {
		// The one handed out last is still on top: its record had to stay until now.
		if (!advance(merge, merge->heap[0]))
			merge->heap[0] = merge->heap[--merge->heap_size];
		sift_down(merge, 0);
	}
	return merge->heap_size ? &merge->heap[0]->record : NULL;
}
