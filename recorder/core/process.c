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

// If a stack pointer is more than this far below the next mapping, it is not in a guard page but
// invalid.
#define GUARD_MAX (UINT64_C(64) << 20)
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

static bool add_program(struct frec_core_process *process, const struct frec_core_mapping *mapping,
			uint64_t offset, const char *name)
{
	struct frec_unwind_map *program;
	char path[80];

	if (!frec__grow(&process->program, process->programs, sizeof(*process->program)))
		return false;
	// Only mappings of files have a link in map_files. Other mappings keep their names, because
	// the unwinder recognises the vDSO by its name.
	if (*name == '/')
		snprintf(path, sizeof(path), "/proc/%" PRIu32 "/map_files/%" PRIx64 "-%" PRIx64,
			 process->member, mapping->start, mapping->end);
	else
		snprintf(path, sizeof(path), "%s", *name ? name : "//anon");
	program = &process->program[process->programs];
	*program = (struct frec_unwind_map){.start = mapping->start,
					    .end = mapping->end,
					    .offset = offset,
					    .path = strdup(path)};
	process->programs += program->path != NULL;
	return program->path;
}

static int read_maps(struct frec_core_process *process, int member)
{
	FREC_FCLOSE FILE *file = open_at(member, "maps");
	FREC_FREE char *line = NULL;
	size_t room = 0;

	if (!file)
		return -errno;
	while (process->mappings < FREC_CORE_MAPS_MAX && getline(&line, &room, file) > 0) {
		struct frec_core_mapping *mapping;
		char permissions[8];
		uint64_t offset;
		int at = 0;

		if (!frec__grow(&process->mapping, process->mappings, sizeof(*mapping)))
			return -ENOMEM;
		mapping = &process->mapping[process->mappings];
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %*s %*s %n",
			   &mapping->start, &mapping->end, permissions, &offset, &at) < 4 ||
		    !at)
			continue;
		line[strcspn(line, "\n")] = 0;
		mapping->readable = permissions[0] == 'r';
		process->mappings++;
		if (permissions[2] == 'x' && !add_program(process, mapping, offset, line + at))
			return -ENOMEM;
	}
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
	for (size_t i = 0; i < process->programs; i++)
		free((char *)(uintptr_t)process->program[i].path);
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

void frec__core_process_stack(const struct frec_core_process *process, uint64_t pointer,
			      uint8_t *buffer, size_t size, struct frec_stack *ret)
{
	uint64_t end;
	size_t i = 0;
	ssize_t n;

	*ret = (struct frec_stack){.address = pointer, .data = buffer};
	// Mappings that are not readable are skipped, because a guard page can be such a mapping.
	while (i < process->mappings &&
	       (process->mapping[i].end <= pointer || !process->mapping[i].readable))
		i++;
	if (i == process->mappings || (process->mapping[i].start > pointer &&
				       process->mapping[i].start - pointer > GUARD_MAX))
		return;
	if (process->mapping[i].start > pointer)
		ret->address = process->mapping[i].start;
	end = process->mapping[i].end;
	if (end - ret->address < size)
		size = end - ret->address;
	// process_vm_readv(2) is not used, because kernels can be built without it.
	n = pread(process->memory, buffer, size, (off_t)ret->address);
	ret->size = n < 0 ? 0 : (size_t)n;
}
