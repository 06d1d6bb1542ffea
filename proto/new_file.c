// SPDX-License-Identifier: MIT
// Files that nobody ever sees half-written.
#include "proto/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(struct frec_new_file *file, int error, const char *what, struct frec_error *reterr)
{
	frec__new_file_discard(file);
	return frec__error(reterr, -error, "%s: %s: %s%s", file->path, what, strerror(error),
			   error == ENOSPC || error == EDQUOT
				   ? ": make room, or name another folder with -o"
				   : "");
}

int frec__new_file_locate(struct frec_new_file *file, const char *path, struct frec_error *reterr)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char folder[PATH_MAX] = ".";

	file->fd = file->folder = -1;
	if (snprintf(file->path, sizeof(file->path), "%s", path) >= (int)sizeof(file->path))
		return frec__error(reterr, -ENAMETOOLONG, "%.64s...: this path is too long", path);
	if (!*name)
		return frec__error(reterr, -EISDIR, "%s: this names a folder, not a file", path);
	// The temporary name is up to eleven characters longer than `name`.
	if (strlen(name) > NAME_MAX - 16)
		return frec__error(reterr, -ENAMETOOLONG, "%s: this file name is too long", path);
	if (slash)
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash == path ? 1 : slash - path),
			 path);
	strcpy(file->name, name);
	file->folder = open(folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	return file->folder < 0 ? fail(file, errno, "cannot open its folder", reterr) : 0;
}

void frec__new_file_temporary(struct frec_new_file *file, unsigned int attempt)
{
	snprintf(file->temporary, sizeof(file->temporary), ".%.*s.%x-%x", NAME_MAX - 16, file->name,
		 (unsigned int)getpid() & 0xffffff, attempt & 0xff);
}

// Returns whether a file or link belongs to a user who is neither this one nor root. Such a user
// may have put it there so that this process writes where that user may not.
static bool is_strangers(const struct stat *status)
{
	return status->st_uid && status->st_uid != geteuid();
}

int frec__check_links(const char *path, struct frec_error *reterr)
{
	char part[PATH_MAX];
	struct stat status;
	size_t length = 0;

	while (path[length]) {
		length += strspn(path + length, "/");
		length += strcspn(path + length, "/");
		if (length >= sizeof(part))
			break;
		memcpy(part, path, length);
		part[length] = 0;
		if (!lstat(part, &status) && S_ISLNK(status.st_mode) && is_strangers(&status))
			return frec__error(reterr, -EPERM,
					   "%s: this link belongs to user %u, and is not followed: "
					   "name what it leads to",
					   part, status.st_uid);
	}
	return 0;
}

// Returns whether everybody may put files into the folder of `path`, but remove only their own, as
// in /tmp.
static bool is_in_shared_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX] = ".";
	struct stat status;

	if (slash)
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash == path ? 1 : slash - path),
			 path);
	return !stat(folder, &status) && status.st_mode & S_ISVTX && status.st_mode & S_IWOTH;
}

// If `path` is a link, as /dev/stdout is, sets `real` to the file that the link leads to, which is
// the one to replace. Otherwise `real` is empty. Refuses a device or a pipe: if /dev/null were
// replaced, it would be gone for everybody. Also refuses links and files of other users, as
// frec__new_file_create() describes. Returns 0 or a negative errno.
static int check_place(const char *path, char real[PATH_MAX], struct frec_error *reterr)
{
	struct stat status;
	int r = frec__check_links(path, reterr);

	if (r)
		return r;
	if (stat(path, &status))
		return 0; // there is no file, or creating it will report what is wrong
	if (S_ISDIR(status.st_mode))
		return frec__error(reterr, -EISDIR, "%s: this is a folder, not a file", path);
	if (!S_ISREG(status.st_mode))
		return frec__error(reterr, -EEXIST,
				   "%s: this is no regular file, and is left as it is: name a file",
				   path);
	if (lstat(path, &status) || !S_ISLNK(status.st_mode) || !realpath(path, real))
		*real = 0;
	if (!stat(path, &status) && is_strangers(&status) &&
	    is_in_shared_folder(*real ? real : path))
		return frec__error(reterr, -EPERM,
				   "%s: this file belongs to user %u, and is left as it is: name "
				   "another",
				   path, status.st_uid);
	return 0;
}

int frec__new_file_create(struct frec_new_file *file, const char *path, struct frec_error *reterr)
{
	char real[PATH_MAX] = "";
	int r = check_place(path, real, reterr);

	file->fd = file->folder = -1;
	if (!r)
		r = frec__new_file_locate(file, *real ? real : path, reterr);
	if (r)
		return r;
	for (unsigned int attempt = 0;; attempt++) {
		frec__new_file_temporary(file, attempt);
		file->fd = openat(file->folder, file->temporary,
				  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (file->fd >= 0)
			return 0;
		if (errno != EEXIST || attempt == 0xff)
			return fail(file, errno, "cannot create it", reterr);
	}
}

int frec__new_file_write(struct frec_new_file *file, const void *data, size_t size,
			 struct frec_error *reterr)
{
	const char *p = data;

	while (size) {
		ssize_t n = write(file->fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(file, n ? errno : EIO, "cannot write it", reterr);
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

int frec__new_file_commit(struct frec_new_file *file, struct frec_error *reterr)
{
	int fd;

	if (fsync(file->fd) && errno != EINVAL && errno != EROFS)
		return fail(file, errno, "cannot bring it to disk", reterr);
	fd = file->fd;
	file->fd = -1;
	// Some network file systems report a failed write only on close.
	if (close(fd)) {
		int error = errno;

		unlinkat(file->folder, file->temporary, 0);
		return fail(file, error, "cannot write it", reterr);
	}
	if (renameat(file->folder, file->temporary, file->folder, file->name)) {
		int error = errno;

		unlinkat(file->folder, file->temporary, 0);
		return fail(file, error, "cannot give it its name", reterr);
	}
	// Failing to sync the folder is no error: the data is on disk, and a power cut can at most
	// undo the rename.
	(void)fsync(file->folder);
	close(file->folder);
	file->folder = -1;
	return 0;
}

void frec__new_file_discard(struct frec_new_file *file)
{
	if (file->fd >= 0) {
		unlinkat(file->folder, file->temporary, 0);
		close(file->fd);
	}
	if (file->folder >= 0)
		close(file->folder);
	file->fd = file->folder = -1;
}
