// SPDX-License-Identifier: MIT
// Reads /proc of a process whose core is being dumped.
#include "recorder/core/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/grow.h"
#include "recorder/processes/moved_text.h"

#define STATUS_MAX 65536
#define TID_MAX (4u << 20) // the kernel's PID_MAX_LIMIT on 64-bit machines

static FILE *open_at(int folder, const char *path)
{
	int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (!file && fd >= 0)
		close(fd);
	return file;
}

// Returns a path as `process` sees it, which is also what recorders write. /proc shows it as the
// reader sees it, and that process may have another root folder.
static const char *in_root(const struct frec_core_process *process, const char *path)
{
	size_t length = strlen(process->root);

	return length > 1 && !strncmp(path, process->root, length) && path[length] == '/'
		       ? path + length
		       : path;
}

// Adds an executable mapping that maps the file of `of`, which is mostly itself.
static bool add_program(struct frec_core_process *process, const struct frec_maps_line *line,
			uint64_t offset, const struct frec_maps_line *of)
{
	struct frec_unwind_map *program;
	char file[80];

	if (!frec__grow(&process->program, process->programs, sizeof(*process->program)))
		return false;
	program = &process->program[process->programs];
	*program = (struct frec_unwind_map){
		.start = line->start,
		.end = line->end,
		.offset = offset,
		.path = strdup(*of->path ? in_root(process, of->path) : "//anon")};
	// Only mappings of files have a link in map_files.
	if (*of->path == '/') {
		snprintf(file, sizeof(file), "/proc/%" PRIu32 "/map_files/%" PRIx64 "-%" PRIx64,
			 process->member, of->start, of->end);
		program->file = strdup(file);
	}
	process->programs++;
	return program->path && (program->file || *of->path != '/');
}

// Adds the line in the middle if it is executable.
static bool add_middle(struct frec_core_process *process, const struct frec_maps_line line[3])
{
	uint64_t offset;

	if (!line[1].executable)
		return true;
	if (frec__moved_text_between(&line[0], &line[1], &line[2], &offset))
		return add_program(process, &line[1], offset, &line[0]);
	return add_program(process, &line[1], line[1].offset, &line[1]);
}

// Moves on to the next line, so that the one in the middle has those before and after it.
static void shift(struct frec_maps_line line[3])
{
	free((char *)(uintptr_t)line[0].path);
	line[0] = line[1];
	line[1] = line[2];
}

// Parses a line of /proc/PID/maps. `ret_line` gets a copy of the path.
static bool parse_line(char *text, struct frec_core_mapping *ret, struct frec_maps_line *ret_line)
{
	char permissions[8];
	int at = 0;

	if (sscanf(text, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %*s %*s %n", &ret->start,
		   &ret->end, permissions, &ret_line->offset, &at) < 4 ||
	    !at)
		return false;
	text[strcspn(text, "\n")] = 0;
	ret->readable = permissions[0] == 'r';
	ret_line->start = ret->start;
	ret_line->end = ret->end;
	ret_line->executable = permissions[2] == 'x';
	ret_line->path = strdup(text + at);
	return true;
}

static int read_maps(struct frec_core_process *process, int member)
{
	FREC_FCLOSE FILE *file = open_at(member, "maps");
	struct frec_maps_line line[3] = {{.path = strdup("")}, {.path = strdup("")}};
	FREC_FREE char *text = NULL;
	size_t room = 0;
	int r = file ? 0 : -errno;

	while (!r && process->mappings < FREC_CORE_MAPS_MAX && getline(&text, &room, file) > 0) {
		struct frec_core_mapping *mapping;

		r = frec__grow(&process->mapping, process->mappings, sizeof(*mapping)) ? 0
										       : -ENOMEM;
		mapping = &process->mapping[process->mappings];
		if (r || !parse_line(text, mapping, &line[2]))
			continue;
		process->mappings++;
		if (!line[0].path || !line[1].path || !line[2].path || !add_middle(process, line))
			r = -ENOMEM;
		shift(line);
	}
	line[2] = (struct frec_maps_line){.path = ""};
	if (!r && !add_middle(process, line))
		r = -ENOMEM;
	free((char *)(uintptr_t)line[0].path);
	free((char *)(uintptr_t)line[1].path);
	if (r)
		return r;
	return process->mappings ? 0 : -ESRCH; // the process has released its memory
}

// Returns the text after `name` in a status file, or NULL.
static const char *field(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at ? at + strlen(name) : NULL;
}

static bool read_status(int folder, const char *path, char ret[STATUS_MAX])
{
	FREC_CLOSE int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, STATUS_MAX - 1);

	if (n < 0)
		return false;
	ret[n] = 0;
	return true;
}

// Returns whether the core of the process is being dumped. If somebody killed the process that
// crashed, its pid can be that of another process by now, whose memory is none of our business.
static bool is_dumping(const char *status)
{
	const char *at = field(status, "\nCoreDumping:");

	return !at || strtoul(at, NULL, 10); // Linux before 4.15 does not say
}

// Returns the last number of "NSpid: 4711 12 1", which lists the tids of a thread in all its pid
// namespaces, from ours to the thread's own.
static uint32_t innermost(const char *status)
{
	const char *at = field(status, "\nNSpid:");
	uint32_t number = 0;
	int length;

	while (at && sscanf(at, "%*[ \t]%" SCNu32 "%n", &number, &length) == 1)
		at += length;
	return number;
}

static void read_name(int folder, const char *tid, char ret[16])
{
	char path[300];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/comm", tid);

	FREC_CLOSE int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);

	n = fd < 0 ? 0 : read(fd, ret, 15);
	ret[n < 0 ? 0 : n] = 0;
	ret[strcspn(ret, "\n")] = 0;
}

// `same`: the process's own pid namespace is ours.
static int read_threads(struct frec_core_process *process, bool same, char status[STATUS_MAX])
{
	FREC_CLOSEDIR DIR *folder = NULL;
	const struct dirent *entry;
	int fd = openat(process->folder, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	folder = fd < 0 ? NULL : fdopendir(fd);
	if (!folder)
		return -errno;
	while (process->threads < TID_MAX && (entry = readdir(folder))) {
		struct frec_core_tid *thread;
		char path[300];

		snprintf(path, sizeof(path), "%s/status", entry->d_name);
		if (*entry->d_name == '.' || (!same && !read_status(dirfd(folder), path, status)))
			continue;
		if (!frec__grow(&process->thread, process->threads, sizeof(*process->thread)))
			return -ENOMEM;
		thread = &process->thread[process->threads++];
		thread->here = (uint32_t)strtoul(entry->d_name, NULL, 10);
		thread->inside = same ? thread->here : innermost(status);
		read_name(dirfd(folder), entry->d_name, thread->name);
	}
	return 0;
}

static void read_root(struct frec_core_process *process, int member)
{
	ssize_t n = readlinkat(member, "root", process->root, sizeof(process->root) - 1);

	process->root[n < 0 ? 0 : n] = 0;
}

// Opens the folder of a thread in /proc. Returns -1 if /proc shows no memory of the thread, because
// it has ended.
static int open_member(uint32_t tid, char status[STATUS_MAX])
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%" PRIu32, tid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && read_status(fd, "status", status) && field(status, "\nVmSize:"))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int frec__core_member_open(pid_t pid, char **ret_status, uint32_t *ret_tid)
{
	FREC_FREE char *status = malloc(STATUS_MAX);
	FREC_CLOSEDIR DIR *folder = NULL;
	const struct dirent *entry;
	uint32_t tid = (uint32_t)pid;
	char path[32];
	int fd = status ? open_member(tid, status) : -1;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	folder = fd >= 0 || !status ? NULL : opendir(path);
	while (folder && fd < 0 && (entry = readdir(folder))) {
		tid = (uint32_t)strtoul(entry->d_name, NULL, 10);
		if (tid)
			fd = open_member(tid, status);
	}
	if (fd < 0)
		return -ESRCH;
	*ret_status = FREC_TAKE_PTR(status);
	*ret_tid = tid;
	return fd;
}

int frec__core_process_open(struct frec_core_process *process, pid_t pid)
{
	FREC_FREE char *status = NULL;
	FREC_CLOSE int member = -1;
	char path[32];
	int r;

	*process = (struct frec_core_process){.pid = pid, .folder = -1, .memory = -1};
	snprintf(path, sizeof(path), "/proc/%d", pid);
	process->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (process->folder < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	member = frec__core_member_open(pid, &status, &process->member);
	process->memory = openat(member, "mem", O_RDONLY | O_CLOEXEC);
	read_root(process, member);
	r = member >= 0 && is_dumping(status) ? frec__owner_read(member, &process->owner) : -ESRCH;
	if (!r)
		r = read_maps(process, member);
	if (!r)
		r = read_threads(process, innermost(status) == process->member, status);
	if (r)
		frec__core_process_close(process);
	return r;
}

void frec__core_process_close(struct frec_core_process *process)
{
	for (size_t i = 0; i < process->programs; i++) {
		free((char *)(uintptr_t)process->program[i].path);
		free((char *)(uintptr_t)process->program[i].file);
	}
	free(process->program);
	free(process->mapping);
	free(process->thread);
	if (process->memory >= 0)
		close(process->memory);
	if (process->folder >= 0)
		close(process->folder);
	*process = (struct frec_core_process){.folder = -1, .memory = -1};
}

const struct frec_core_tid *frec__core_process_thread(const struct frec_core_process *process,
						      uint32_t inside)
{
	for (size_t i = 0; i < process->threads; i++) {
		if (process->thread[i].inside == inside)
			return &process->thread[i];
	}
	return NULL;
}
