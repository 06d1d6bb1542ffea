// SPDX-License-Identifier: MIT
// Reads the line NSpid of /proc/PID/status. The line lists the pid of the process in each of its
// pid namespaces, from the recorder's to the innermost.
#include "recorder/rings/pid_space.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/cleanup.h"
#include "proto/grow.h"
#include "proto/read_file.h"

static uint64_t key_of(uint32_t space, uint32_t inside)
{
	return (uint64_t)space << 32 | inside;
}

// Returns how many pids the line NSpid of the file `path` has, or 0 if the line cannot be read.
// Sets `ret_last` to the last pid.
static size_t read_numbers(const char *path, uint32_t *ret_last)
{
	FREC_FREE char *text = frec__read_file_at(AT_FDCWD, path, 16384);
	char *line = text ? strstr(text, "\nNSpid:") : NULL, *end;
	size_t count = 0;

	if (!line)
		return 0;
	for (line += strlen("\nNSpid:");; line = end) {
		unsigned long number;

		line += strspn(line, " \t");
		number = strtoul(line, &end, 10);
		if (end == line)
			return count;
		*ret_last = (uint32_t)number;
		count++;
	}
}

void frec__pid_spaces_init(struct frec_pid_spaces *spaces)
{
	struct stat status;

	*spaces = (struct frec_pid_spaces){0};
	if (!stat("/proc/self/ns/pid", &status))
		spaces->own = (uint32_t)status.st_ino;
}

uint32_t frec__pid_space_of(const struct frec_pid_spaces *spaces, uint32_t pid)
{
	char path[64];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%u/ns/pid", pid);
	if (stat(path, &status) || (uint32_t)status.st_ino == spaces->own)
		return 0;
	return (uint32_t)status.st_ino;
}

static void put(struct frec_pid_spaces *spaces, uint32_t space, uint32_t inside, uint32_t number)
{
	uint32_t *at = frec__table_put(&spaces->index, key_of(space, inside), NULL);

	if (at)
		*at = number;
}

// Removes an entry of the index, unless it leads to a younger pair than `number` by now.
static void forget(struct frec_pid_spaces *spaces, uint32_t space, uint32_t inside, uint32_t number)
{
	const uint32_t *at = frec__table_get(&spaces->index, key_of(space, inside));

	if (at && *at == number)
		frec__table_remove(&spaces->index, key_of(space, inside));
}

static void add(struct frec_pid_spaces *spaces, uint32_t space, uint32_t inside, uint32_t outside)
{
	const uint32_t *known = frec__table_get(&spaces->index, key_of(space, inside));
	uint32_t number = (uint32_t)spaces->count;

	if (known && spaces->pair[*known].outside == outside)
		return;
	if (spaces->count == FREC_PID_PAIRS_MAX) {
		// The kernel reuses pids, so the oldest pair is the least likely one to be valid.
		number = (uint32_t)spaces->next;
		forget(spaces, spaces->pair[number].space, spaces->pair[number].inside, number);
		forget(spaces, 0, spaces->pair[number].inside, number);
		spaces->next = (spaces->next + 1) % FREC_PID_PAIRS_MAX;
	} else if (frec__grow(&spaces->pair, spaces->count, sizeof(*spaces->pair))) {
		spaces->count++;
	} else {
		return;
	}
	spaces->pair[number] =
		(struct frec_pid_pair){.space = space, .inside = inside, .outside = outside};
	put(spaces, space, inside, number);
	put(spaces, 0, inside, number);
}

bool frec__pid_spaces_learn(struct frec_pid_spaces *spaces, uint32_t pid)
{
	uint32_t space, inside;
	FREC_CLOSEDIR DIR *tasks = NULL;
	struct dirent *entry;
	char path[300];

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	if (read_numbers(path, &inside) < 2)
		return false;
	space = frec__pid_space_of(spaces, pid);
	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		uint32_t tid = (uint32_t)strtoul(entry->d_name, NULL, 10);

		snprintf(path, sizeof(path), "/proc/%u/task/%u/status", pid, tid);
		if (tid && read_numbers(path, &inside) > 1)
			add(spaces, space, inside, tid);
	}
	return true;
}

static const struct frec_pid_pair *find(const struct frec_pid_spaces *spaces, uint32_t space,
					uint32_t inside)
{
	const uint32_t *at = frec__table_get(&spaces->index, key_of(space, inside));

	if (at)
		return &spaces->pair[*at];
	at = frec__table_get(&spaces->index, key_of(0, inside));
	return at && !spaces->pair[*at].space ? &spaces->pair[*at] : NULL;
}

void frec__pid_spaces_translate(const struct frec_pid_spaces *spaces, uint32_t space, uint32_t *pid,
				uint32_t *tid)
{
	const struct frec_pid_pair *pair;

	if (!space || space == spaces->own) {
		// Most recorders know no pairs, because no process of another namespace writes
		// records.
		if (!spaces->count || !spaces->writes || spaces->writes(spaces->context, *pid))
			return;
		pair = find(spaces, 0, *pid);
		if (!pair)
			return;
		space = pair->space;
	} else {
		pair = find(spaces, space, *pid);
	}
	*pid = pair ? pair->outside : UINT32_MAX;
	pair = find(spaces, space, *tid);
	*tid = pair ? pair->outside : UINT32_MAX;
}

void frec__pid_spaces_deinit(struct frec_pid_spaces *spaces)
{
	free(spaces->pair);
	frec__table_free(&spaces->index);
	*spaces = (struct frec_pid_spaces){0};
}
