// SPDX-License-Identifier: MIT
// Sorts the threads in a snapshot's process table by tid and start.
#include "export/read/processes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	const struct frec_process_entry *x = a, *y = b;

	if (x->tid != y->tid)
		return (x->tid > y->tid) - (x->tid < y->tid);
	return (x->start > y->start) - (x->start < y->start);
}

static void add_process(struct frec_processes *processes, const Flightrec__Process *process)
{
	bool main_thread = false;

	for (size_t i = 0; i < process->n_thread; i++) {
		const Flightrec__Thread *thread = process->thread[i];

		main_thread |= thread->tid == process->pid;
		processes->entries[processes->count++] = (struct frec_process_entry){
			.tid = thread->tid,
			.start = thread->start ? thread->start : process->start,
			.process = process,
			.thread = thread,
		};
	}
	if (!main_thread)
		processes->entries[processes->count++] = (struct frec_process_entry){
			.tid = process->pid, .start = process->start, .process = process};
}

int frec__processes_init(struct frec_processes *processes, const struct frec_snapshot *snapshot)
{
	size_t count = 0;

	*processes = (struct frec_processes){0};
	for (size_t i = 0; i < snapshot->process_count; i++)
		count += snapshot->processes[i]->n_thread + 1;
	processes->entries = calloc(count + 1, sizeof(*processes->entries));
	if (!processes->entries)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->process_count; i++)
		add_process(processes, snapshot->processes[i]);
	qsort(processes->entries, processes->count, sizeof(*processes->entries), compare);
	return 0;
}

void frec__processes_deinit(struct frec_processes *processes)
{
	free(processes->entries);
	*processes = (struct frec_processes){0};
}

const struct frec_process_entry *frec__processes_find(const struct frec_processes *processes,
						      uint32_t tid, uint64_t time)
{
	size_t low = 0, high = processes->count;

	// Finds the first entry with a larger tid, or with this tid and a start after `time`. If
	// the entry before that one has this tid, it is the thread's.
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct frec_process_entry *entry = &processes->entries[middle];

		if (entry->tid < tid || (entry->tid == tid && entry->start <= time))
			low = middle + 1;
		else
			high = middle;
	}
	if (low && processes->entries[low - 1].tid == tid)
		return &processes->entries[low - 1];
	// The recorded start can be a little later than the thread's first event, so a thread that
	// started after `time` is better than none.
	if (low < processes->count && processes->entries[low].tid == tid)
		return &processes->entries[low];
	return NULL;
}

ProtobufCBinaryData frec__process_entry_thread_name(const struct frec_process_entry *entry)
{
	if (!entry)
		return (ProtobufCBinaryData){0};
	if (entry->thread && entry->thread->name.len)
		return entry->thread->name;
	return entry->tid == entry->process->pid ? entry->process->name : (ProtobufCBinaryData){0};
}
