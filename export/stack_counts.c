// SPDX-License-Identifier: MIT
// Keeps a count for each combination of process, source and call stack.
#include "export/stack_counts.h"

#include <errno.h>
#include <stdlib.h>

#include "proto/grow.h"

static uint64_t hash(const struct frec_stack_count *key)
{
	uint64_t value = frec__table_mix((uintptr_t)key->process, (uintptr_t)key->source);

	return frec__table_mix(value, key->stack->id);
}

static bool same(const struct frec_stack_count *a, const struct frec_stack_count *b)
{
	return a->process == b->process && a->source == b->source && a->stack == b->stack;
}

static int append(struct frec_stack_counts *counts, const struct frec_stack_count *item)
{
	if (!frec__grow(&counts->items, counts->count, sizeof(*counts->items)))
		return -ENOMEM;
	counts->items[counts->count++] = *item;
	return 0;
}

static int add(struct frec_stack_counts *counts, const struct frec_stack_count *item)
{
	for (uint64_t key = hash(item);; key++) {
		uint32_t *index = frec__table_put(&counts->indices, key, NULL);

		if (!index)
			return -ENOMEM;
		if (!*index) {
			int r = append(counts, item);

			*index = r ? 0 : (uint32_t)counts->count;
			return r;
		}
		if (same(&counts->items[*index - 1], item)) {
			counts->items[*index - 1].count += item->count;
			return 0;
		}
	}
}

int frec__stack_counts_add(struct frec_stack_counts *counts, const struct frec_event *event,
			   struct frec_error *reterr)
{
	const struct frec_stack_count key = {
		.process = event->who ? event->who->process : NULL,
		.source = event->source,
		.stack = frec__event_stack(event),
		.count = 1,
	};

	if (key.stack && add(counts, &key))
		return frec__error(reterr, -ENOMEM, "out of memory");
	return 0;
}

static int add_threads(struct frec_stack_counts *counts, struct frec_events *file)
{
	const struct frec_snapshot *snapshot = file->snapshot;
	int r = 0;

	for (size_t i = 0; i < snapshot->thread_stack_count && !r; i++) {
		const Flightrec__ThreadStack *thread = snapshot->thread_stacks[i];
		const struct frec_process_entry *who =
			frec__processes_find(&file->processes, thread->tid, thread->time);
		const struct frec_stack_count key = {
			.process = who ? who->process : NULL,
			.stack = frec__stacks_of_thread(file->stacks, thread),
			.count = 1,
		};

		// The event of the fatal signal is taken to have been counted with this stack, so
		// the thread is not counted again.
		if (snapshot->crash && thread->tid == snapshot->crash->tid && counts->count)
			continue;
		r = key.stack ? add(counts, &key) : 0;
	}
	return r;
}

int frec__stack_counts_add_threads(struct frec_stack_counts *counts,
				   const struct frec_timeline *timeline, struct frec_error *reterr)
{
	int r = 0;

	for (size_t i = 0; i < timeline->file_count && !r; i++)
		r = add_threads(counts, &timeline->files[i].events);
	return r ? frec__error(reterr, r, "out of memory") : 0;
}

void frec__stack_counts_deinit(struct frec_stack_counts *counts)
{
	free(counts->items);
	frec__table_free(&counts->indices);
	*counts = (struct frec_stack_counts){0};
}
