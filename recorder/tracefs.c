/* SPDX-License-Identifier: MIT */
/*
 * tracefs is nearly always mounted at one of two well-known places, which are tried first because the list of mounts
 * can be long (thousands, on a container host) and costs time to read. The first place is preferred: the second one
 * mounts itself on access and needs the right to enter debugfs.
 */
#include "recorder/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define TRACEFS_TYPE 0x74726163 /* TRACEFS_MAGIC of <linux/magic.h> */

static const char *const usual[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};

static bool is_tracefs(const char *path)
{
	struct statfs status;

	return statfs(path, &status) == 0 && status.f_type == TRACEFS_TYPE;
}

static int copy_path(char *ret_path, size_t size, const char *path)
{
	size_t length = strlen(path) + 1;

	if (length > size)
		return -ENAMETOOLONG;
	memcpy(ret_path, path, length);
	return 0;
}

static bool is_folder(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* A place that something else was mounted over later, or that this process cannot reach, does not count. Nor does one file. */
static int find_in_mounts(char *ret_path, size_t size)
{
	char line[PATH_MAX + 512];
	struct mntent entry;
	int result = -ENOENT;
	FILE *mounts = setmntent("/proc/self/mounts", "re");

	if (!mounts)
		return -ENOENT;
	while (result == -ENOENT && getmntent_r(mounts, &entry, line, sizeof(line))) {
		if (strcmp(entry.mnt_type, "tracefs") == 0 && is_tracefs(entry.mnt_dir) &&
		    is_folder(entry.mnt_dir))
			result = copy_path(ret_path, size, entry.mnt_dir);
	}
	endmntent(mounts);
	return result;
}

int frec__tracefs_find(char *ret_path, size_t size)
{
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (is_tracefs(usual[i]))
			return copy_path(ret_path, size, usual[i]);
	return find_in_mounts(ret_path, size);
}

/* A container may have been given one file of tracefs and no more, at the place where it would be. */
static int open_alone(const char *name, int flags)
{
	char path[PATH_MAX];
	int fd;

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		if (snprintf(path, sizeof(path), "%s/%s", usual[i], name) >= (int)sizeof(path))
			return -ENAMETOOLONG;
		if (!is_tracefs(path))
			continue;
		fd = open(path, flags | O_CLOEXEC);
		return fd >= 0 ? fd : -errno;
	}
	return -ENOENT;
}

int frec__tracefs_open(const char *name, int flags)
{
	char path[PATH_MAX];
	size_t length;
	int fd, result = frec__tracefs_find(path, sizeof(path));

	if (result)
		return open_alone(name, flags);
	length = strlen(path);
	if (snprintf(path + length, sizeof(path) - length, "/%s", name) >=
	    (int)(sizeof(path) - length))
		return -ENAMETOOLONG;
	fd = open(path, flags | O_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}
