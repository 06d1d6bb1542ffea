// SPDX-License-Identifier: MIT
// A hash table from (process, source, call stack) to a count.
#include "export/stack_counts.h"

#include <errno.h>
#include <stdlib.h>

static size_t hash(const struct frec_stack_count *key)
{
	uint64_t value = (uintptr_t)key->process;

	value = (value ^ (uintptr_t)key->source) * UINT64_C(0x9e3779b97f4a7c15);
	value = (value ^ key->stack->id) * UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(value ^ value >> 32);
}

static int make_room(struct frec_stack_counts *counts)
{
	size_t room = counts->room ? 2 * counts->room : 128;
	struct frec_stack_count *items;
	uint32_t *table;

	if (counts->count < counts->room)
		return 0;
	items = reallocarray(counts->items, room, sizeof(*items));
	if (!items)
		return -ENOMEM;
	counts->items = items;
	table = calloc(2 * room, sizeof(*table));
	if (!table)
		return -ENOMEM;
	counts->room = room;
	counts->table_size = 2 * room;
	for (size_t i = 0; i < counts->count; i++) {
		size_t at = hash(&items[i]) & (counts->table_size - 1);

		while (table[at])
			at = (at + 1) & (counts->table_size - 1);
		table[at] = (uint32_t)i + 1;
	}
	free(counts->table);
	counts->table = table;
	return 0;
}

static int add(struct frec_stack_counts *counts, const struct frec_stack_count *key)
{
	size_t at;

	if (make_room(counts))
		return -ENOMEM;
	at = hash(key) & (counts->table_size - 1);
	for (; counts->table[at]; at = (at + 1) & (counts->table_size - 1)) {
		struct frec_stack_count *item = &counts->items[counts->table[at] - 1];

		if (item->process == key->process && item->source == key->source &&
		    item->stack == key->stack) {
			item->count += key->count;
			return 0;
		}
	}
	counts->items[counts->count++] = *key;
	counts->table[at] = (uint32_t)counts->count;
	return 0;
}

int frec__stack_counts_add(struct frec_stack_counts *counts, const struct frec_event *event)
{
	const struct frec_stack_count key = {
		.process = event->who ? event->who->process : NULL,
		.source = event->source,
		.stack = frec__event_stack(event),
		.count = 1,
	};

	return key.stack ? add(counts, &key) : 0;
}

static int add_threads(struct frec_stack_counts *counts, struct frec_events *file)
{
	const struct frec_snapshot *snapshot = file->snapshot;
	int result = 0;

	for (size_t i = 0; i < snapshot->thread_stack_count && !result; i++) {
		const Flightrec__ThreadStack *thread = snapshot->thread_stacks[i];
		const struct frec_process_entry *who =
			frec__processes_find(&file->processes, thread->tid, thread->time);
		const struct frec_stack_count key = {
			.process = who ? who->process : NULL,
			.stack = frec__stacks_of_thread(file->stacks, thread),
			.count = 1,
		};

		// Its fatal signal is an event with that stack.
		if (snapshot->crash && thread->tid == snapshot->crash->tid && counts->count)
			continue;
		result = key.stack ? add(counts, &key) : 0;
	}
	return result;
}

int frec__stack_counts_add_threads(struct frec_stack_counts *counts,
				   const struct frec_timeline *timeline)
{
	int result = 0;

	for (size_t i = 0; i < timeline->file_count && !result; i++)
		result = add_threads(counts, &timeline->files[i].events);
	return result;
}

void frec__stack_counts_deinit(struct frec_stack_counts *counts)
{
	free(counts->items);
	free(counts->table);
	*counts = (struct frec_stack_counts){0};
}
