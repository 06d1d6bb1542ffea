// SPDX-License-Identifier: MIT
// Reads and leaves the control groups of this process.
#include "recorder/control_groups.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/read_file.h"

#define OWN_MAX 65536 // the most bytes that are read of /proc/PID/cgroup

// A line of /proc/PID/cgroup: NUMBER:CONTROLLERS:PATH. CONTROLLERS is empty for version 2.
struct group {
	const char *controllers, *path;
};

// Cuts the next line out of *lines. Returns false at the end.
static bool next_group(char **lines, struct group *ret)
{
	char *line;

	while ((line = strsep(lines, "\n"))) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!path)
			continue;
		*path = 0;
		*ret = (struct group){.controllers = controllers + 1, .path = path + 1};
		return true;
	}
	return false;
}

// Writes the path at which the hierarchy of a group is mounted, or returns false if the path is too
// long. Controllers of version 1 that share a hierarchy have one mount, named after all of them.
// Where both versions are in use, version 2 is mounted in the folder "unified".
static bool hierarchy(const char *root, const struct group *group, char *ret, size_t size)
{
	char probe[PATH_MAX];

	if (*group->controllers)
		return snprintf(ret, size, "%s/%s", root, group->controllers) < (int)size;
	snprintf(probe, sizeof(probe), "%s/unified", root);
	return snprintf(ret, size, "%s", access(probe, F_OK) ? root : probe) < (int)size;
}

static uint64_t read_limit(const char *folder, const char *path, size_t length, const char *name)
{
	FREC_FREE char *text = NULL;
	char file[2 * PATH_MAX];
	unsigned long long value;
	char *end;

	snprintf(file, sizeof(file), "%s%.*s/%s", folder, (int)length, path, name);
	text = frec__read_file_at(AT_FDCWD, file, 64);
	value = text ? strtoull(text, &end, 10) : 0;
	// Without a limit, the text is "max", or in version 1 the largest multiple of a page.
	if (!text || end == text || value > INT64_MAX / 2)
		return UINT64_MAX;
	return value;
}

// Returns the lowest limit of a group and of the groups around it, up to the root.
static uint64_t lowest(const char *folder, const char *path, const char *name)
{
	uint64_t least = UINT64_MAX;
	size_t length = strlen(path);

	for (;;) {
		uint64_t limit;

		while (length && path[length - 1] == '/')
			length--;
		limit = read_limit(folder, path, length, name);
		least = limit < least ? limit : least;
		if (!length)
			return least;
		while (length && path[length - 1] != '/')
			length--;
	}
}

static bool has_memory(const char *controllers)
{
	const char *at = strstr(controllers, "memory");

	return !*controllers ||
	       (at && (at == controllers || at[-1] == ',') && (at[6] == 0 || at[6] == ','));
}

uint64_t frec__control_groups_memory(const char *root, const char *own)
{
	FREC_FREE char *text = frec__read_file_at(AT_FDCWD, own, OWN_MAX);
	char *lines = text;
	uint64_t least = UINT64_MAX;
	struct group group;

	while (text && next_group(&lines, &group)) {
		char folder[PATH_MAX];
		uint64_t limit;

		if (!has_memory(group.controllers) ||
		    !hierarchy(root, &group, folder, sizeof(folder)))
			continue;
		limit = lowest(folder, group.path,
			       *group.controllers ? "memory.limit_in_bytes" : "memory.max");
		least = limit < least ? limit : least;
	}
	return least;
}

void frec__control_groups_leave(const char *root, const char *own)
{
	FREC_FREE char *text = frec__read_file_at(AT_FDCWD, own, OWN_MAX);
	char *lines = text;
	struct group group;

	while (text && next_group(&lines, &group)) {
		char folder[PATH_MAX], file[PATH_MAX + 32];
		int fd;

		if (!strncmp(group.controllers, "name=", 5) || !strcmp(group.path, "/") ||
		    !hierarchy(root, &group, folder, sizeof(folder)))
			continue;
		snprintf(file, sizeof(file), "%s/cgroup.procs", folder);
		fd = open(file, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		// 0 means the process that writes. If the write is refused, this process stays in
		// its group.
		(void)!write(fd, "0", 1);
		close(fd);
	}
}
