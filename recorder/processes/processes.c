// SPDX-License-Identifier: MIT
// The process table, which is limited in size.
#include "recorder/processes/processes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "proto/grow.h"
#include "proto/share.h"
#include "recorder/processes/build_ids.h"
#include "recorder/processes/exited.h"
#include "recorder/processes/held_files.h"
#include "recorder/processes/moved_text.h"
#include "recorder/processes/threads.h"

// A start that comes from /proc can be this many nanoseconds too early, because times in /proc are
// rounded down to ticks of CLK_TCK, and are then converted between two clocks.
#define PROC_START_ROUNDING UINT64_C(20000000)

// A process or a thread that has a record takes at least this many bytes in the rings.
#define RECORD_SIZE 64
// A process takes much more memory than a thread, and most processes have more than one record. So
// the table may have only one exited process per this many records.
#define PROCESS_RECORDS 16
#define THREADS_LIMIT (256u << 10)
#define EXITED_LIMIT (16u << 10)

static struct frec_process **bucket(const struct frec_process_table *table, uint32_t pid)
{
	return (struct frec_process **)&table->bucket[pid % FREC_PROCESS_BUCKETS];
}

static size_t map_bytes(const struct frec_mapping *map)
{
	return sizeof(*map) + strlen(map->path) + 1;
}

static void clear_maps(struct frec_process_table *table, struct frec_process *process)
{
	for (size_t i = 0; i < process->maps; i++) {
		table->map_bytes -= map_bytes(&process->map[i]);
		if (process->map[i].held)
			process->map[i].held->users--;
		free(process->map[i].path);
	}
	process->maps = 0;
	process->maps_missing = 0;
}

void frec__process_free(struct frec_process_table *table, struct frec_process *process)
{
	clear_maps(table, process);
	table->threads -= process->threads;
	free(process->map);
	free(process->thread);
	frec__table_free(&process->by_tid);
	free(process->cmdline);
	free(process->executable);
	free(process->tags);
	free(process);
}

void frec__process_table_deinit(struct frec_process_table *table)
{
	for (size_t i = 0; i < FREC_PROCESS_BUCKETS; i++) {
		while (table->bucket[i]) {
			struct frec_process *process = table->bucket[i];

			table->bucket[i] = process->next;
			frec__process_free(table, process);
		}
	}
	free(table->expected.cmdline);
	frec__held_files_deinit(table);
	frec__build_ids_free(table->build_ids);
	*table = (struct frec_process_table){0};
}

struct frec_process *frec__process_table_find(const struct frec_process_table *table, uint32_t pid)
{
	struct frec_process *process = *bucket(table, pid);

	while (process && process->pid != pid)
		process = process->next;
	return process;
}

struct frec_process *frec__process_table_life(const struct frec_process_table *table, uint32_t pid,
					      uint64_t life)
{
	struct frec_process *process = *bucket(table, pid);

	while (process && process->life != life)
		process = process->next;
	return process;
}

struct frec_process *frec__process_table_find_at(const struct frec_process_table *table,
						 uint32_t pid, uint64_t time)
{
	struct frec_process *process = frec__process_table_find(table, pid);

	while (process && (process->pid != pid || process->start > time))
		process = process->next;
	return process;
}

struct frec_process *frec__process_table_alive_at(const struct frec_process_table *table,
						  uint32_t pid, uint64_t time)
{
	struct frec_process *process = frec__process_table_find_at(table, pid, time);

	return process && (!process->exit || process->exit >= time) ? process : NULL;
}

bool frec__process_table_is_of(const struct frec_process_table *table, uint32_t pid, uint64_t time,
			       uint64_t life)
{
	const struct frec_process *process = frec__process_table_life(table, pid, life);

	return !process || process == frec__process_table_alive_at(table, pid, time);
}

void frec__process_table_each(struct frec_process_table *table,
			      void (*visit)(void *context, const struct frec_process *),
			      void *context)
{
	for (size_t i = 0; i < FREC_PROCESS_BUCKETS; i++) {
		for (const struct frec_process *process = table->bucket[i]; process;
		     process = process->next) {
			if (!process->exit)
				visit(context, process);
		}
	}
}

void frec__process_table_limit(struct frec_process_table *table, uint64_t ring_bytes)
{
	uint64_t threads = ring_bytes / RECORD_SIZE, exited = threads / PROCESS_RECORDS;

	threads = threads < THREADS_LIMIT ? threads : THREADS_LIMIT;
	exited = exited < EXITED_LIMIT ? exited : EXITED_LIMIT;
	if (threads > FREC_PROCESS_THREADS_MAX && threads > table->threads_max)
		table->threads_max = (size_t)threads;
	if (exited > FREC_PROCESSES_EXITED_MAX && exited > table->exited_max)
		table->exited_max = (size_t)exited;
}

static struct frec_process *add(struct frec_process_table *table, uint32_t pid, uint64_t time)
{
	struct frec_process *process = calloc(1, sizeof(*process));

	if (!process)
		return NULL;
	process->life = ++table->lives;
	process->pid = pid;
	process->start = time;
	process->payer = FREC_USER_UNKNOWN;
	process->next = *bucket(table, pid);
	*bucket(table, pid) = process;
	table->living++;
	return process;
}

struct frec_process *frec__process_table_get(struct frec_process_table *table, uint32_t pid)
{
	struct frec_process *process = frec__process_table_find(table, pid);

	return process ? process : add(table, pid, 0);
}

static void inherit(struct frec_process_table *table, struct frec_process *process,
		    const struct frec_process *parent)
{
	memcpy(process->name, parent->name, sizeof(process->name));
	process->owner = parent->owner;
	process->owner.since = 0;
	process->holds = parent->holds;
	process->payer = parent->payer;
	process->kernel = parent->kernel;
	if (parent->executable)
		process->executable = strdup(parent->executable);
	if (parent->cmdline_size && (process->cmdline = malloc(parent->cmdline_size))) {
		memcpy(process->cmdline, parent->cmdline, parent->cmdline_size);
		process->cmdline_size = parent->cmdline_size;
	}
	// A child starts with its parent's mappings. The mappings of an exited parent are not
	// copied, because adding mappings can remove that parent from the table.
	for (size_t i = 0; i < parent->maps && !parent->exit; i++)
		frec__process_table_map(table, process->pid, &parent->map[i]);
}

static void set_parent(struct frec_process *process, struct frec_process *parent)
{
	if (!parent || process->parent || frec__process_descends(parent, process->life))
		return;
	process->parent = parent;
	parent->has_children = true;
}

void frec__process_link(struct frec_process_table *table, struct frec_process *process)
{
	if (!process->exit && process->ppid)
		set_parent(process,
			   frec__process_table_alive_at(table, process->ppid,
							process->start + PROC_START_ROUNDING));
}

void frec__process_table_link(struct frec_process_table *table)
{
	for (size_t i = 0; i < FREC_PROCESS_BUCKETS; i++) {
		for (struct frec_process *process = table->bucket[i]; process;
		     process = process->next)
			frec__process_link(table, process);
	}
}

void frec__process_table_fork(struct frec_process_table *table, uint32_t pid, uint32_t ppid,
			      uint32_t tid, uint64_t time)
{
	struct frec_process *process, *parent;

	if (pid != tid) { // a thread
		const struct frec_thread *thread;

		process = frec__process_table_get(table, pid);
		thread = process ? frec__process_thread(process, tid) : NULL;
		// The tid of a dead thread can be reused.
		if (process && (!thread || (thread->exit && thread->exit <= time)))
			frec__process_thread_add(table, process, tid, time);
		return;
	}
	process = frec__process_table_find(table, pid);
	if (process && process->start == time)
		return;
	if (process && !process->exit) {
		// The scan of /proc may have added this process first, with a start that is rounded
		// down.
		if (!process->start || process->start + PROC_START_ROUNDING >= time) {
			// If the scan added a later process with this pid, that process keeps its
			// start.
			if (process->start < time)
				process->start = time;
			process->ppid = process->ppid ? process->ppid : ppid;
			set_parent(process, frec__process_table_alive_at(table, ppid, time));
			return;
		}
		// The pid is reused, and the EXIT record of the process that had it before was
		// lost.
		frec__exited_add(table, process, time);
	}
	process = add(table, pid, time);
	parent = frec__process_table_alive_at(table, ppid, time);
	if (!process)
		return;
	process->ppid = ppid;
	set_parent(process, parent);
	if (parent)
		inherit(table, process, parent);
	frec__process_thread_add(table, process, tid, time);
}

void frec__process_table_exit(struct frec_process_table *table, uint32_t pid, uint32_t tid,
			      uint64_t time)
{
	struct frec_process *process = frec__process_table_find(table, pid);
	struct frec_thread *thread;

	// An exit before the start belongs to an earlier process with this pid.
	if (!process || process->start > time)
		return;
	thread = frec__process_thread(process, tid);
	if (thread)
		frec__process_thread_end(process, thread, time);
	// The main thread may exit before the others: the process ends with its last thread.
	if (!process->threads_alive)
		frec__exited_add(table, process, time);
}

void frec__process_table_end(struct frec_process_table *table, uint32_t pid, uint64_t time)
{
	struct frec_process *process = frec__process_table_find(table, pid);

	for (size_t i = 0; process && i < process->threads; i++)
		frec__process_thread_end(process, &process->thread[i], time);
	if (process)
		frec__exited_add(table, process, time);
}

void frec__process_table_add_thread(struct frec_process_table *table, uint32_t pid, uint32_t tid)
{
	struct frec_process *process = frec__process_table_find(table, pid);
	struct frec_thread *thread = process && !frec__process_thread(process, tid)
					     ? frec__process_thread_add(table, process, tid, 0)
					     : NULL;

	if (thread && process->exit)
		frec__process_thread_end(process, thread, process->exit);
}

int frec__process_table_tag(struct frec_process_table *table, uint32_t pid, const char *tags,
			    size_t size)
{
	struct frec_process *process = frec__process_table_get(table, pid);
	char *copy = size ? malloc(size) : NULL;

	if (!process || (size && !copy)) {
		free(copy);
		return -ENOMEM;
	}
	if (size)
		memcpy(copy, tags, size);
	free(process->tags);
	process->tags = copy;
	process->tags_size = size;
	return 0;
}

void frec__process_table_unmap(struct frec_process_table *table, uint32_t pid)
{
	struct frec_process *process = frec__process_table_find(table, pid);

	if (process)
		clear_maps(table, process);
}

int frec__process_table_expect(struct frec_process_table *table, uint32_t pid,
			       char *const *arguments)
{
	char *cmdline = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&cmdline, &size);

	if (!stream)
		return -ENOMEM;
	for (size_t i = 0; arguments[i]; i++)
		fwrite(arguments[i], 1, strlen(arguments[i]) + 1, stream);
	if (fclose(stream)) {
		free(cmdline);
		return -ENOMEM;
	}
	free(table->expected.cmdline);
	if (size > FREC_PROCESS_CMDLINE_MAX)
		size = FREC_PROCESS_CMDLINE_MAX;
	table->expected = (struct frec_expected){.pid = pid, .cmdline = cmdline, .size = size};
	return 0;
}

void frec__process_table_comm(struct frec_process_table *table, uint32_t pid, uint32_t tid,
			      const char *name, bool exec, uint64_t time)
{
	struct frec_process *process = frec__process_table_get(table, pid);
	struct frec_thread *thread;

	if (!process)
		return;
	if (exec) {
		// After an exec only the calling thread is left, and there are no mappings yet.
		clear_maps(table, process);
		// The old arguments, executable and owner are wrong now. They are reread later.
		free(process->cmdline);
		free(process->executable);
		process->cmdline = process->executable = NULL;
		process->cmdline_size = 0;
		free(process->tags);
		process->tags = NULL;
		process->tags_size = 0;
		if (table->expected.pid && table->expected.pid == pid) {
			process->cmdline = FREC_TAKE_PTR(table->expected.cmdline);
			process->cmdline_size = table->expected.size;
			table->expected.pid = 0;
		}
		process->owner.known = false;
		process->image_since = time;
		for (size_t i = 0; i < process->threads; i++) {
			if (process->thread[i].tid != tid)
				frec__process_thread_end(process, &process->thread[i], time);
		}
	}
	thread = frec__process_thread(process, tid);
	if (!thread)
		thread = frec__process_thread_add(table, process, tid, 0);
	// If a thread other than the main thread calls exec, the main thread exits and the caller
	// takes over its tid.
	if (thread && thread->exit && exec) {
		thread->exit = 0;
		process->threads_alive++;
	}
	if (thread)
		strncpy(thread->name, name, sizeof(thread->name) - 1);
	if (pid == tid)
		strncpy(process->name, name, sizeof(process->name) - 1);
}

void frec__process_table_map(struct frec_process_table *table, uint32_t pid,
			     const struct frec_mapping *map)
{
	struct frec_process *process = frec__process_table_get(table, pid);
	const struct frec_mapping *of;
	struct frec_mapping *copy;

	if (!process)
		return;
	// Exited processes make room for the mappings of living ones.
	while (table->map_bytes + map_bytes(map) > FREC_PROCESS_MAPS_BYTES_MAX && table->exited &&
	       !process->exit)
		frec__exited_drop_oldest(table);
	if (process->maps == FREC_PROCESS_MAPS_MAX ||
	    table->map_bytes + map_bytes(map) > FREC_PROCESS_MAPS_BYTES_MAX ||
	    !frec__grow(&process->map, process->maps, sizeof(*copy))) {
		process->maps_missing++;
		return;
	}
	of = frec__moved_text_of(process, map);
	copy = &process->map[process->maps];
	*copy = of ? *of : *map;
	if (of) {
		copy->start = map->start;
		copy->end = map->end;
		copy->since = map->since;
		copy->offset += map->start - of->start;
	}
	if (!copy->build_id_size && !strcmp(map->path, "[vdso]"))
		frec__build_ids_vdso(copy);
	copy->path = strdup(copy->path);
	if (!copy->path)
		return;
	table->map_bytes += map_bytes(copy);
	process->maps++;
	if (copy->held)
		copy->held->users++;
	else if (process->holds && *copy->path == '/')
		frec__held_files_add(table, process, copy);
}

void frec__process_set_payer(struct frec_process *process, uint32_t uid)
{
	if (process->payer == FREC_USER_UNKNOWN || !frec__is_stranger(process->payer))
		process->payer = uid;
}

void frec__process_set_owner(struct frec_process *process, const struct frec_owner *owner)
{
	struct frec_owner *before = &process->owner;
	uint64_t since = before->since;

	// A new owner must not see records from the time when the process had another one. If no
	// owner has been known since the last exec, the process has had the new owner since that
	// exec; otherwise its owner has just changed.
	if (!before->known)
		since = process->image_since;
	else if (before->uid != owner->uid || before->alone != owner->alone)
		since = frec__monotonic();
	*before = *owner;
	before->since = since;
	frec__process_set_payer(process, owner->uid);
}

bool frec__process_table_shows(const struct frec_process_table *table, uint32_t pid, uint64_t time,
			       int64_t only_uid)
{
	bool found = false;

	if (only_uid < 0)
		return true;
	if (time <= table->forgotten_until)
		return false;
	for (const struct frec_process *process = *bucket(table, pid); process;
	     process = process->next) {
		if (process->pid != pid)
			continue;
		if (!frec__owner_shows(&process->owner, only_uid) || time < process->owner.since)
			return false;
		found = true;
	}
	return found;
}

bool frec__process_descends(const struct frec_process *process, uint64_t ancestor)
{
	// The chain can be as long as somebody likes who forks again and again.
	for (int depth = 0; process && depth < FREC_DESCENT_MAX;
	     depth++, process = process->parent) {
		if (process->life == ancestor)
			return true;
	}
	return false;
}
