// SPDX-License-Identifier: MIT
// The threads of a process, which are limited in number. Dead ones make room for new ones.
#include "recorder/processes/threads.h"

#include <string.h>

#include "proto/grow.h"
#include "recorder/processes/exited.h"

// Threads are searched one by one while a process has at most this many.
#define SEARCHED 64

struct frec_thread *frec__process_thread(const struct frec_process *process, uint32_t tid)
{
	if (process->by_tid.slots) {
		const uint32_t *at = frec__table_get(&process->by_tid, tid);

		return at ? &process->thread[*at] : NULL;
	}
	for (size_t i = process->threads; i-- > 0;) {
		if (process->thread[i].tid == tid)
			return &process->thread[i];
	}
	return NULL;
}

void frec__process_thread_end(struct frec_process *process, struct frec_thread *thread,
			      uint64_t time)
{
	if (thread->exit)
		return;
	thread->exit = time;
	process->threads_alive--;
}

// Enters the threads from number `first` on into the index. If memory runs out, frees the index,
// and threads are searched one by one.
static void enter_threads(struct frec_process *process, size_t first)
{
	for (size_t i = first; i < process->threads; i++) {
		uint32_t *at = frec__table_put(&process->by_tid, process->thread[i].tid, NULL);

		if (!at) {
			frec__table_free(&process->by_tid);
			return;
		}
		*at = (uint32_t)i;
	}
}

// Removes the oldest dead threads, up to an eighth of all at once, because a removal moves all
// others.
static void drop_threads(struct frec_process_table *table, struct frec_process *process)
{
	size_t left = process->threads / 8 + 1, to = 0;

	for (size_t i = 0; i < process->threads; i++) {
		if (process->thread[i].exit && left) {
			left--;
			process->threads_missing++;
			table->threads--;
		} else {
			process->thread[to++] = process->thread[i];
		}
	}
	process->threads = to;
	frec__table_free(&process->by_tid);
	if (to > SEARCHED)
		enter_threads(process, 0);
}

static bool has_room(struct frec_process_table *table, struct frec_process *process)
{
	size_t max = table->threads_max ? table->threads_max : FREC_PROCESS_THREADS_MAX;

	// Exited processes and dead threads make room for living ones.
	while (table->threads >= FREC_THREADS_MAX && table->exited && !process->exit)
		frec__exited_drop_oldest(table);
	if ((process->threads >= max || table->threads >= FREC_THREADS_MAX) &&
	    process->threads > process->threads_alive)
		drop_threads(table, process);
	return process->threads < max && table->threads < FREC_THREADS_MAX &&
	       frec__grow(&process->thread, process->threads, sizeof(*process->thread));
}

struct frec_thread *frec__process_thread_add(struct frec_process_table *table,
					     struct frec_process *process, uint32_t tid,
					     uint64_t time)
{
	struct frec_thread *thread;

	if (!has_room(table, process)) {
		process->threads_missing++;
		return NULL;
	}
	thread = &process->thread[process->threads++];
	*thread = (struct frec_thread){.tid = tid, .start = time};
	memcpy(thread->name, process->name, sizeof(thread->name));
	process->threads_alive++;
	table->threads++;
	if (process->by_tid.slots)
		enter_threads(process, process->threads - 1);
	else if (process->threads == SEARCHED + 1)
		enter_threads(process, 0);
	return thread;
}
