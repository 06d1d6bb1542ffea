// SPDX-License-Identifier: MIT
// Polls /proc for recorders without a sideband. A poll lists all processes, but opens files only of
// processes that are new or that matter to the caller.
#include "recorder/processes/proc_poll.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "proto/read_file.h"
#include "recorder/processes/proc_scan.h"
#include "recorder/processes/threads.h"

// Polling may take at most 1/LEISURE of the time.
#define LEISURE 20

static struct frec_thread *find_thread(struct frec_process *process, uint32_t tid)
{
	struct frec_thread *thread = frec__process_thread(process, tid);

	return thread && !thread->exit ? thread : NULL;
}

static void name_thread(struct frec_process_table *table, int tasks, uint32_t pid, uint32_t tid)
{
	FREC_FREE char *name = NULL;
	char path[64];

	snprintf(path, sizeof(path), "%u/comm", tid);
	name = frec__read_file_at(tasks, path, 64);
	if (!name)
		return;
	name[strcspn(name, "\n")] = 0;
	frec__process_table_comm(table, pid, tid, name, false, 0);
}

// Adds new threads and marks those that are gone as ended. If `names` is true, also rereads the
// names of the threads that are already known.
static void poll_threads(struct frec_process_table *table, struct frec_process *process, bool names,
			 uint64_t now)
{
	FREC_FREE bool *seen = calloc(process->threads + 1, sizeof(*seen));
	FREC_CLOSEDIR DIR *tasks = NULL;
	size_t known = process->threads;
	struct dirent *entry;
	struct stat status;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/task", process->pid);
	// The link count of the folder is the number of threads plus 2. If the table has as many
	// living threads, they are assumed to be the same ones.
	if (!seen || stat(path, &status) ||
	    (!names && status.st_nlink == process->threads_alive + 2))
		return;
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		uint32_t tid = (uint32_t)strtoul(entry->d_name, NULL, 10);
		const struct frec_thread *thread = tid ? find_thread(process, tid) : NULL;

		if (!tid)
			continue;
		if (thread && thread < process->thread + known)
			seen[thread - process->thread] = true;
		if (!thread)
			frec__process_table_fork(table, process->pid, process->ppid, tid, now);
		if (!thread || names)
			name_thread(table, dirfd(tasks), process->pid, tid);
	}
	// If the array of threads is full, adding a thread removes dead ones and shifts others, so
	// that the indices in `seen` are wrong. The next poll corrects the mistakes that result
	// from this.
	for (size_t i = 0; tasks && i < known && i < process->threads; i++) {
		if (!seen[i] && !process->thread[i].exit && process->thread[i].start < now)
			frec__process_thread_end(process, &process->thread[i], now);
	}
}

uint64_t frec__process_table_next_poll(uint64_t began, uint64_t interval)
{
	uint64_t took = frec__monotonic() - began;

	return began + (took > interval / LEISURE ? LEISURE * took : interval);
}

// Marks as ended the processes that this poll did not find. Ending a process can remove others from
// the table, so the walk over the bucket then starts again.
static void end_unseen(struct frec_process_table *table, uint64_t now)
{
	for (size_t i = 0; i < FREC_PROCESS_BUCKETS; i++) {
		struct frec_process *process = table->bucket[i];

		while (process) {
			if (process->exit || process->seen == table->polls) {
				process = process->next;
				continue;
			}
			frec__process_table_end(table, process->pid, now);
			process = table->bucket[i];
		}
	}
}

void frec__process_table_poll(struct frec_process_table *table,
			      bool (*matters)(void *context, const struct frec_process *),
			      void *context, bool names)
{
	FREC_CLOSEDIR DIR *proc = opendir("/proc");
	uint64_t now = frec__monotonic();
	struct dirent *entry;

	if (!proc)
		return;
	table->polls++;
	while ((entry = readdir(proc))) {
		uint32_t pid = (uint32_t)strtoul(entry->d_name, NULL, 10);
		struct frec_process *process;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		process = frec__process_table_find(table, pid);
		if (!process || process->exit)
			process = frec__process_table_scan_one(table, pid);
		if (!process)
			continue;
		process->seen = table->polls;
		if (!matters(context, process))
			continue;
		poll_threads(table, process, names, now);
		if (names)
			frec__process_table_remap(table, pid);
	}
	end_unseen(table, now);
	frec__process_table_link(table);
}
