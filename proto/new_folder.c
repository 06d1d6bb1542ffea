// SPDX-License-Identifier: MIT
// Folders that nobody ever sees half-written.
#include "proto/new_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/cleanup.h"

static int fail(struct frec_new_file *folder, int error, const char *what,
		struct frec_error *reterr)
{
	frec__new_folder_discard(folder);
	return frec__error(reterr, -error, "%s: %s: %s", folder->path, what, strerror(error));
}

int frec__new_folder_create(struct frec_new_file *folder, const char *path,
			    struct frec_error *reterr)
{
	char trimmed[PATH_MAX];
	size_t length = strlen(path);
	int r;

	// People may write a slash after the name of a folder: drop it.
	while (length > 1 && path[length - 1] == '/')
		length--;
	if (length >= sizeof(trimmed)) {
		folder->fd = folder->folder = -1;
		return frec__error(reterr, -ENAMETOOLONG, "%.64s...: this path is too long", path);
	}
	memcpy(trimmed, path, length);
	trimmed[length] = '\0';
	folder->fd = folder->folder = -1;
	r = frec__check_links(trimmed, reterr);
	if (!r)
		r = frec__new_file_locate(folder, trimmed, reterr);
	if (r)
		return r;
	// If the name is taken, fail now and not after the work. An empty folder is replaced.
	if (!faccessat(folder->folder, folder->name, F_OK, AT_SYMLINK_NOFOLLOW) &&
	    unlinkat(folder->folder, folder->name, AT_REMOVEDIR))
		return fail(folder, EEXIST, "remove it, or name another folder with -o", reterr);
	for (unsigned int attempt = 0;; attempt++) {
		frec__new_file_temporary(folder, attempt);
		if (!mkdirat(folder->folder, folder->temporary, 0700))
			break;
		if (errno != EEXIST || attempt == 0xff)
			return fail(folder, errno, "cannot create it", reterr);
	}
	folder->fd = openat(folder->folder, folder->temporary,
			    O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (folder->fd < 0) {
		int error = errno;

		unlinkat(folder->folder, folder->temporary, AT_REMOVEDIR);
		return fail(folder, error, "cannot open it", reterr);
	}
	return 0;
}

int frec__new_folder_commit(struct frec_new_file *folder, struct frec_error *reterr)
{
	if (fsync(folder->fd) && errno != EINVAL && errno != EROFS)
		return fail(folder, errno, "cannot bring it to disk", reterr);
	if (renameat(folder->folder, folder->temporary, folder->folder, folder->name))
		return fail(folder, errno, "cannot give it its name", reterr);
	close(folder->fd);
	folder->fd = -1;
	// As in new_file.c, a failure is no error: a power cut can at most undo the rename.
	(void)fsync(folder->folder);
	close(folder->folder);
	folder->folder = -1;
	return 0;
}

static void remove_files(int fd)
{
	int copy = openat(fd, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	FREC_CLOSEDIR DIR *listing = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (!listing) {
		if (copy >= 0)
			close(copy);
		return;
	}
	while ((entry = readdir(listing)))
		(void)unlinkat(fd, entry->d_name, 0);
}

void frec__new_folder_discard(struct frec_new_file *folder)
{
	if (folder->fd >= 0) {
		remove_files(folder->fd);
		unlinkat(folder->folder, folder->temporary, AT_REMOVEDIR);
		close(folder->fd);
	}
	if (folder->folder >= 0)
		close(folder->folder);
	folder->fd = folder->folder = -1;
}
