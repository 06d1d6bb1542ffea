// SPDX-License-Identifier: MIT
// Forgets exited processes when there are too many.
#include "recorder/processes/exited.h"

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

void frec__exited_drop_oldest(struct frec_process_table *table)
{
	struct frec_process **oldest = NULL;

	for (size_t i = 0; i < FREC_PROCESS_BUCKETS; i++) {
		for (struct frec_process **p = &table->bucket[i]; *p; p = &(*p)->next) {
			if (!(*p)->exit)
				continue;
			if (!oldest || matters(*p) < matters(*oldest) ||
			    (matters(*p) == matters(*oldest) && (*p)->exit < (*oldest)->exit))
				oldest = p;
		}
	}
	if (oldest) {
		struct frec_process *process = *oldest;

		if (process->exit > table->forgotten_until)
			table->forgotten_until = process->exit;
		*oldest = process->next;
		hand_on_children(table, process);
		frec__process_free(table, process);
		table->exited--;
	}
}

void frec__exited_add(struct frec_process_table *table, struct frec_process *process, uint64_t time)
{
	size_t max = table->exited_max ? table->exited_max : FREC_PROCESSES_EXITED_MAX;

	if (process->exit)
		return;
	process->exit = time ? time : 1;
	table->living--;
	table->exited++;
	if (table->exited <= max + (table->mark_emitters ? max / 8 : 0))
		return;
	if (table->mark_emitters)
		table->mark_emitters(table->context);
	while (table->exited > max)
		frec__exited_drop_oldest(table);
}
