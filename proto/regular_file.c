// SPDX-License-Identifier: MIT
// Checks the kind of a file before opening it to read. Both steps use one O_PATH descriptor, so
// that nobody can put another file in its place in between.
#include "proto/regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "proto/cleanup.h"

// Returns whether a file is on a real file system, and not on a pseudo one. Pseudo file systems
// have no blocks, except efivarfs. Real file systems that keep their files in memory may have none
// either, nor may overlays of these, so such file systems are listed here.
static bool holds_files(int fd)
{
	struct statfs status;

	return !fstatfs(fd, &status) &&
	       (status.f_blocks || status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC ||
		status.f_type == OVERLAYFS_SUPER_MAGIC || status.f_type == HUGETLBFS_MAGIC) &&
	       status.f_type != EFIVARFS_MAGIC;
}

int frec__reopen_regular(int place)
{
	char again[32];
	struct stat status;
	int fd;

	if (fstat(place, &status))
		return -errno;
	if (!S_ISREG(status.st_mode) || !holds_files(place))
		return -EINVAL;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", place);
	fd = open(again, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int frec__open_regular(const char *path)
{
	FREC_CLOSE int place = open(path, O_PATH | O_CLOEXEC);

	return place < 0 ? -errno : frec__reopen_regular(place);
}
