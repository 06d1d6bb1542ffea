// SPDX-License-Identifier: MIT
// Forgets exited processes when there are too many.
#include "recorder/processes/exited.h"

#include <stdlib.h>

#include "proto/cleanup.h"

static bool matters(const struct frec_process *process)
{
	return process->kept || process->emitted;
}

// When `parent` leaves the table, its children become children of its own parent.
static void hand_on_children(struct frec_process_table *table, const struct frec_process *parent)
{
	for (size_t i = 0; i < FREC_PROCESS_BUCKETS && parent->has_children; i++) {
		for (struct frec_process *process = table->bucket[i]; process;
		     process = process->next) {
			if (process->parent != parent)
				continue;
			process->parent = parent->parent;
			if (process->parent)
				process->parent->has_children = true;
		}
	}
}

// Exited processes are removed in the order of these numbers.
static uint64_t order_of(const struct frec_process *process)
{
	return (uint64_t)matters(process) << 63 | process->exit;
}

static int by_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x == y ? 0 : x < y ? -1 : 1;
}

// Removes an exited process. `place` points to it.
static void drop(struct frec_process_table *table, struct frec_process **place)
{
	struct frec_process *process = *place;

	if (process->exit > table->forgotten_until)
		table->forgotten_until = process->exit;
	*place = process->next;
	hand_on_children(table, process);
	frec__process_free(table, process);
	table->exited--;
}

// Removes the first `count` exited processes. A walk for each of them would take a recorder longer
// than a user takes who makes processes as fast as he can.
static void drop_many(struct frec_process_table *table, size_t count)
{
	FREC_FREE uint64_t *orders = malloc(table->exited * sizeof(*orders));
	size_t found = 0, equal = 0;
	uint64_t last;

	if (!orders)
		return;
	for (size_t i = 0; i < FREC_PROCESS_BUCKETS; i++) {
		for (const struct frec_process *p = table->bucket[i]; p; p = p->next) {
			if (p->exit && found < table->exited)
				orders[found++] = order_of(p);
		}
	}
	if (!count || found < count)
		return;
	qsort(orders, found, sizeof(*orders), by_order);
	last = orders[count - 1];
	// Of those that exited at the same time as the last one, only some may be removed.
	while (equal < count && orders[count - 1 - equal] == last)
		equal++;
	for (size_t i = 0; i < FREC_PROCESS_BUCKETS; i++) {
		struct frec_process **p = &table->bucket[i];

		while (*p) {
			uint64_t order = (*p)->exit ? order_of(*p) : UINT64_MAX;

			if (order < last || (order == last && equal > 0)) {
				equal -= order == last;
				drop(table, p);
			} else {
				p = &(*p)->next;
			}
		}
	}
}

void frec__exited_drop_oldest(struct frec_process_table *table)
{
	struct frec_process **oldest = NULL;

	for (size_t i = 0; i < FREC_PROCESS_BUCKETS; i++) {
		for (struct frec_process **p = &table->bucket[i]; *p; p = &(*p)->next) {
			if ((*p)->exit && (!oldest || order_of(*p) < order_of(*oldest)))
				oldest = p;
		}
	}
	if (oldest)
		drop(table, oldest);
}

void frec__exited_add(struct frec_process_table *table, struct frec_process *process, uint64_t time)
{
	size_t max = table->exited_max ? table->exited_max : FREC_PROCESSES_EXITED_MAX;

	if (process->exit)
		return;
	process->exit = time ? time : 1;
	table->held_ended |= process->holds;
	table->living--;
	table->exited++;
	if (table->exited <= max + (table->mark_emitters ? max / 8 : 0))
		return;
	if (table->mark_emitters)
		table->mark_emitters(table->context);
	if (table->exited > max + 1)
		drop_many(table, table->exited - max);
	while (table->exited > max)
		frec__exited_drop_oldest(table);
}
