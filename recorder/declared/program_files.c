// SPDX-License-Identifier: MIT
// Finds the files of programs and libraries, including those that running processes use. Files in
// containers are opened through /proc.
#include "recorder/declared/program_files.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/grow.h"
#include "proto/read_file.h"
#include "proto/regular_file.h"
#include "proto/report.h"
#include "recorder/declared/file_reader.h"

#define MAPS_SIZE_MAX (4u << 20)
#define DELETED " (deleted)"

// Opens `path` with the restrictions `resolve` of openat2(2). With RESOLVE_IN_ROOT, `root` takes
// the place of the root folder.
static int open_within(int root, const char *path, uint64_t resolve)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
			       .resolve = RESOLVE_NO_MAGICLINKS | resolve};
	FREC_CLOSE int place = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	return place < 0 ? -errno : frec__reopen_regular(place);
}

int frec__open_mapped(uint32_t pid, uint64_t start, uint64_t end, const char *path)
{
	FREC_CLOSE int place = -1, root = -1;
	char name[96];

	snprintf(name, sizeof(name), "/proc/%u/map_files/%llx-%llx", pid, (unsigned long long)start,
		 (unsigned long long)end);
	place = open(name, O_PATH | O_CLOEXEC);
	if (place >= 0)
		return frec__reopen_regular(place);
	snprintf(name, sizeof(name), "/proc/%u/root", pid);
	root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root >= 0 ? open_within(root, path, RESOLVE_IN_ROOT)
			 : open_within(AT_FDCWD, path, RESOLVE_NO_SYMLINKS);
}

// Adds an open file under the name `path`, and takes ownership of `opened`, which may be a negative
// errno. Returns 0 or a negative errno. Callers that go on to look for more files ignore all errors
// but -ENOMEM.
static int add_open(struct frec_program_files *files, int opened, const char *path)
{
	FREC_CLOSE int fd = opened;
	FREC_FREE char *copy = NULL;
	struct stat status;

	if (fd < 0)
		return fd;
	if (fstat(fd, &status))
		return -errno;
	for (size_t i = 0; i < files->count; i++) {
		if (files->file[i].inode == status.st_ino && files->file[i].device == status.st_dev)
			return 0;
	}
	copy = strdup(path);
	if (!copy || !frec__grow(&files->file, files->count, sizeof(*files->file)))
		return -ENOMEM;
	files->file[files->count++] = (struct frec_program_file){.fd = fd,
								 .path = FREC_TAKE_PTR(copy),
								 .device = status.st_dev,
								 .inode = status.st_ino};
	fd = -1;
	return 0;
}

static int add(struct frec_program_files *files, const char *open_as, const char *path)
{
	return add_open(files, frec__open_regular(open_as), path);
}

// Adds the file `name` from each folder of a colon-separated list. Returns 0 or -ENOMEM.
static int add_from_folders(struct frec_program_files *files, const char *folders, const char *name,
			    int access_mode)
{
	int r = 0;

	while (*folders && r != -ENOMEM) {
		int length = (int)strcspn(folders, ":");
		char path[PATH_MAX];

		if (length &&
		    snprintf(path, sizeof(path), "%.*s/%s", length, folders, name) <
			    (int)sizeof(path) &&
		    !access(path, access_mode))
			r = add(files, path, path);
		folders += length + (folders[length] == ':');
	}
	return r == -ENOMEM ? r : 0;
}

static bool is_named(char *path, const char *name)
{
	size_t length = strlen(path), end = strlen(DELETED);
	const char *slash;

	// /proc appends DELETED to the path if the file of a running program was removed or
	// replaced.
	if (length > end && !strcmp(path + length - end, DELETED))
		path[length - end] = 0;
	slash = strrchr(path, '/');
	return slash && !strcmp(slash + 1, name);
}

// Adds a file that a process uses, if it is trusted: any user can run a program of any name. Takes
// ownership of `opened`, which may be a negative errno.
static int add_found(struct frec_program_files *files, int opened, const char *path)
{
	struct stat status;

	if (opened < 0 || fstat(opened, &status) || frec__file_is_trusted(&status))
		return add_open(files, opened, path);
	close(opened);
	frec__report(LOG_WARNING, "%s of user %u has this name and is not used: give its path",
		     path, status.st_uid);
	return -EPERM;
}

static int add_from_process(struct frec_program_files *files, const char *pid, const char *name)
{
	char link[64], path[PATH_MAX];
	FREC_FREE char *maps = NULL;
	ssize_t length;
	int r = 0;

	snprintf(link, sizeof(link), "/proc/%s/exe", pid);
	length = readlink(link, path, sizeof(path) - 1);
	if (length > 0) {
		path[length] = 0;
		if (is_named(path, name))
			r = add_found(files, frec__open_regular(link), path);
	}
	snprintf(link, sizeof(link), "/proc/%s/maps", pid);
	maps = r == -ENOMEM ? NULL : frec__read_file_at(AT_FDCWD, link, MAPS_SIZE_MAX);
	// Searches for the name instead of parsing each line, because nearly all lines are about
	// other files.
	for (char *at = maps; at && (at = strstr(at, name)) && r != -ENOMEM; at += strlen(name)) {
		unsigned long long start, end;
		char *line = at, *begin;

		while (line > maps && line[-1] != '\n')
			line--;
		begin = strchr(line, '/');
		if (!begin || begin > at || sscanf(line, "%llx-%llx", &start, &end) != 2 ||
		    snprintf(path, sizeof(path), "%.*s", (int)strcspn(begin, "\n"), begin) >=
			    (int)sizeof(path) ||
		    !is_named(path, name))
			continue;
		r = add_found(files,
			      frec__open_mapped((uint32_t)strtoul(pid, NULL, 10), start, end, path),
			      path);
	}
	return r == -ENOMEM ? r : 0;
}

static int add_by_name(struct frec_program_files *files, const char *name)
{
	FREC_CLOSEDIR DIR *proc = opendir("/proc");
	const char *path = getenv("PATH");
	struct dirent *entry;
	int r = path ? add_from_folders(files, path, name, X_OK) : 0;

	if (!r)
		r = add_from_folders(files, FREC_LIBRARY_FOLDERS, name, R_OK);
	while (!r && proc && (entry = readdir(proc))) {
		if (isdigit((unsigned char)entry->d_name[0]))
			r = add_from_process(files, entry->d_name, name);
	}
	return r;
}

int frec__program_files_find(struct frec_program_files *files, const char *name,
			     struct frec_error *reterr)
{
	int r;

	if (strchr(name, '/')) {
		r = add(files, name, name);
		if (r)
			return frec__error(reterr, r, "%s: %s", name,
					   r == -EINVAL ? "not a file" : strerror(-r));
	} else {
		r = add_by_name(files, name);
		if (r)
			return frec__error(reterr, r, "out of memory");
	}
	return files->count ? 0
			    : frec__error(reterr, -ENOENT,
					  "%s: no program in PATH, no library and no running "
					  "program has this name: give its path",
					  name);
}

void frec__program_files_deinit(struct frec_program_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		close(files->file[i].fd);
		free(files->file[i].path);
	}
	free(files->file);
	*files = (struct frec_program_files){0};
}
