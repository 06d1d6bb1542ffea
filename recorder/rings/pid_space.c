// SPDX-License-Identifier: MIT
// Reads the line NSpid of /proc/PID/status. It lists the pid of the process in each pid namespace
// that it is in: in the recorder's namespace first, in the innermost one last.
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

// Returns how many pids the line in the file `path` has, or 0 if it cannot be read. Sets `ret_last`
// to the last of them.
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

uint64_t frec__pid_space_key(uint32_t pid)
{
	char path[64];
	struct stat status;
	uint32_t inside;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	if (read_numbers(path, &inside) < 2)
		return 0;
	snprintf(path, sizeof(path), "/proc/%u/ns/pid", pid);
	// A process whose namespace cannot be read gets a key of its own.
	return !stat(path, &status) ? status.st_ino : UINT64_C(1) << 63 | pid;
}

static void add(struct frec_pid_space *space, uint32_t inside, uint32_t outside)
{
	for (size_t i = space->count; i-- > 0;) {
		if (space->pair[i].inside == inside && space->pair[i].outside == outside)
			return;
	}
	// If the table is full, the oldest pair makes room. The kernel reuses pids, so the
	// oldest pair is the least likely one to be still valid.
	if (space->count == FREC_PID_PAIRS_MAX)
		memmove(space->pair, space->pair + 1, --space->count * sizeof(*space->pair));
	if (!frec__grow(&space->pair, space->count, sizeof(*space->pair)))
		return;
	space->pair[space->count++] = (struct frec_pid_pair){.inside = inside, .outside = outside};
}

void frec__pid_space_learn(struct frec_pid_space *space, uint32_t pid)
{
	FREC_CLOSEDIR DIR *tasks = NULL;
	struct dirent *entry;
	char path[300];

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		uint32_t tid = (uint32_t)strtoul(entry->d_name, NULL, 10), inside;

		snprintf(path, sizeof(path), "/proc/%u/task/%u/status", pid, tid);
		if (tid && read_numbers(path, &inside) > 1)
			add(space, inside, tid);
	}
}

uint32_t frec__pid_space_outside(const struct frec_pid_space *space, uint32_t inside)
{
	for (size_t i = space->count; i-- > 0;) {
		if (space->pair[i].inside == inside)
			return space->pair[i].outside;
	}
	return UINT32_MAX;
}

void frec__pid_space_deinit(struct frec_pid_space *space)
{
	free(space->pair);
	*space = (struct frec_pid_space){0};
}
