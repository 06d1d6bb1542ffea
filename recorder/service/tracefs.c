// SPDX-License-Identifier: MIT
// Finding tracefs. It is nearly always mounted at one of two well-known places. These are tried
// first, because the list of mounts can be long (thousands of lines on a container host) and slow
// to read. The first place is preferred, because the second one is mounted on access and needs the
// right to enter debugfs.
//
// A container may have a single file of tracefs, bind-mounted at its usual place or elsewhere.
#include "recorder/service/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define TRACEFS_TYPE 0x74726163 // TRACEFS_MAGIC of <linux/magic.h>

static const char *const usual[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};

static bool is_tracefs(const char *path)
{
	struct statfs status;

	return statfs(path, &status) == 0 && status.f_type == TRACEFS_TYPE;
}

static bool is_folder(const char *path, const void *context)
{
	struct stat status;

	(void)context;
	return is_tracefs(path) && stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_file(const char *path, const void *name)
{
	const char *slash = strrchr(path, '/');
	struct stat status;

	return slash && strcmp(slash + 1, name) == 0 && is_tracefs(path) &&
	       stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static int copy_path(char *ret_path, size_t size, const char *path)
{
	size_t length = strlen(path) + 1;

	if (length > size)
		return -ENAMETOOLONG;
	memcpy(ret_path, path, length);
	return 0;
}

// Finds the first tracefs in /proc/self/mounts that `fits`. Ignores a mount that is hidden by
// another mount or that this process cannot reach.
static int find_in_mounts(bool (*fits)(const char *path, const void *context), const void *context,
			  char *ret_path, size_t size)
{
	char line[PATH_MAX + 512];
	struct mntent entry;
	int r = -ENOENT;
	FILE *mounts = setmntent("/proc/self/mounts", "re");

	if (!mounts)
		return -ENOENT;
	while (r == -ENOENT && getmntent_r(mounts, &entry, line, sizeof(line))) {
		if (strcmp(entry.mnt_type, "tracefs") == 0 && fits(entry.mnt_dir, context))
			r = copy_path(ret_path, size, entry.mnt_dir);
	}
	endmntent(mounts);
	return r;
}

int frec__tracefs_find(char *ret_path, size_t size)
{
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (is_folder(usual[i], NULL))
			return copy_path(ret_path, size, usual[i]);
	return find_in_mounts(is_folder, NULL, ret_path, size);
}

int frec__tracefs_open(const char *name, int flags)
{
	char path[PATH_MAX];
	size_t length;
	int fd, r = frec__tracefs_find(path, sizeof(path));

	if (r == -ENOENT) {
		r = find_in_mounts(is_file, name, path, sizeof(path));
	} else if (!r) {
		length = strlen(path);
		if (snprintf(path + length, sizeof(path) - length, "/%s", name) >=
		    (int)(sizeof(path) - length))
			return -ENAMETOOLONG;
	}
	if (r)
		return r;
	fd = open(path, flags | O_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}
