// SPDX-License-Identifier: MIT
// Finds out which processes emitted, and which are workers of the same service.
#include "recorder/snapshot/emitters.h"

// The keys of the table. Two processes are workers of one service if they run the same program, and
// one is the parent of the other, or both have the same parent. So for each emitter, the table has
// the life of the process, that life with its program, and the life of its parent with its program.
// An emitter of which the process table has nothing is known by its pid alone.
enum key { KEY_PID, KEY_LIFE, KEY_PROGRAM, KEY_PARENT };

static uint64_t key_of(enum key kind, uint64_t number, const char *program)
{
	uint64_t hash = frec__table_mix(frec__table_mix(0, (uint64_t)kind), number);

	for (; program && *program; program++)
		hash = frec__table_mix(hash, (unsigned char)*program);
	return hash;
}

static uint64_t key_of_process(uint32_t pid, const struct frec_process *process)
{
	return process ? key_of(KEY_LIFE, process->life, NULL) : key_of(KEY_PID, pid, NULL);
}

static void put(struct frec_emitters *emitters, uint64_t key)
{
	if (!frec__table_put(&emitters->known, key, NULL))
		emitters->incomplete = true;
}

static bool has(const struct frec_emitters *emitters, uint64_t key)
{
	return frec__table_get(&emitters->known, key);
}

static void add(void *context, uint32_t pid, uint64_t time)
{
	struct frec_emitters *emitters = context;
	struct frec_process *process = frec__process_table_find_at(emitters->processes, pid, time);

	if (process)
		process->has_emitted = true;
	if (has(emitters, key_of_process(pid, process)))
		return;
	put(emitters, key_of_process(pid, process));
	if (!process || !process->executable)
		return;
	put(emitters, key_of(KEY_PROGRAM, process->life, process->executable));
	if (process->parent)
		put(emitters, key_of(KEY_PARENT, process->parent->life, process->executable));
}

void frec__emitters_find(struct frec_emitters *emitters, const struct frec_snapshot_job *snapshot)
{
	emitters->processes = snapshot->processes;
	if (frec__snapshot_emitters(snapshot, add, emitters))
		emitters->incomplete = true;
}

void frec__emitters_deinit(struct frec_emitters *emitters)
{
	frec__table_free(&emitters->known);
	*emitters = (struct frec_emitters){0};
}

bool frec__emitters_have(const struct frec_emitters *emitters, const struct frec_reason *reason)
{
	const struct frec_process *process;

	if (emitters->incomplete)
		return true;
	if (!emitters->known.count)
		return false;
	process = frec__reason_process(emitters->processes, reason);
	if (has(emitters, key_of_process(reason->pid, process)))
		return true;
	if (!process || !process->executable)
		return false;
	if (has(emitters, key_of(KEY_PARENT, process->life, process->executable)))
		return true;
	return process->parent &&
	       (has(emitters, key_of(KEY_PARENT, process->parent->life, process->executable)) ||
		has(emitters, key_of(KEY_PROGRAM, process->parent->life, process->executable)));
}
