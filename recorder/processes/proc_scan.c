// SPDX-License-Identifier: MIT
// Reads from /proc what the sideband does not report: processes older than the recorder, arguments,
// executables, owners.
#include "recorder/processes/proc_scan.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "proto/read_file.h"
#include "proto/share.h"
#include "recorder/processes/build_ids.h"
#include "recorder/processes/moved_text.h"

#define PROC_FILE_MAX (64u << 10)
#define MAPS_FILE_MAX (4u << 20)
#define START_JITTER 1000000	      /* nanoseconds; shorter than a tick of /proc */
#define FLAG_KERNEL_THREAD 0x00200000 /* PF_KTHREAD, field 9 of /proc/PID/stat */

// Nanoseconds to subtract from a start in /proc to get the kernel's CLOCK_MONOTONIC. A start in
// /proc is a time of CLOCK_BOOTTIME in the time namespace of the reader, so the difference is the
// time spent in suspend plus the offset of that namespace's CLOCK_BOOTTIME.
static int64_t boottime_offset(void)
{
	struct timespec boot;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	return boot.tv_sec * INT64_C(1000000000) + boot.tv_nsec - (int64_t)frec__monotonic();
}

struct stat_line {
	char name[16];
	uint32_t ppid;
	unsigned int flags;
	uint64_t start; /* nanoseconds of CLOCK_MONOTONIC */
};

static bool parse_stat(const char *text, struct stat_line *ret)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	unsigned long long ticks;
	size_t length;

	if (!open || !close || close < open)
		return false;
	length = (size_t)(close - open - 1);
	*ret = (struct stat_line){0};
	memcpy(ret->name, open + 1,
	       length < sizeof(ret->name) - 1 ? length : sizeof(ret->name) - 1);
	if (sscanf(close + 1,
		   " %*c %" SCNu32
		   " %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		   &ret->ppid, &ret->flags, &ticks) != 3)
		return false;
	ret->start = ticks * (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
	ret->start -= (uint64_t)boottime_offset();
	return true;
}

struct scanned {
	struct frec_maps_line line;
	dev_t device;
	ino_t inode;
};

static bool parse_line(char *text, struct scanned *ret)
{
	unsigned int major, minor;
	unsigned long inode;
	char permissions[8];
	int at = 0;

	if (sscanf(text, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %x:%x %lu %n", &ret->line.start,
		   &ret->line.end, permissions, &ret->line.offset, &major, &minor, &inode,
		   &at) < 7 ||
	    !at)
		return false;
	ret->line.executable = permissions[2] == 'x';
	ret->line.path = text + at;
	ret->device = makedev(major, minor);
	ret->inode = inode;
	return true;
}

// Adds the line in the middle to the table if it is executable.
static void add_middle(struct frec_process_table *table, int folder, uint32_t pid,
		       const struct scanned line[3])
{
	const struct scanned *here = &line[1], *of = here;
	struct frec_mapping map = {.offset = here->line.offset};

	if (!here->line.executable)
		return;
	if (frec__moved_text_between(&line[0].line, &here->line, &line[2].line, &map.offset))
		of = &line[0];
	map.path = *of->line.path ? (char *)(uintptr_t)of->line.path : "//anon";
	// The file is found by the bounds of its own mapping.
	map.start = of->line.start;
	map.end = of->line.end;
	frec__build_ids_find(&table->build_ids, folder, of->device, of->inode, &map);
	map.start = here->line.start;
	map.end = here->line.end;
	frec__process_table_map(table, pid, &map);
}

static void read_maps(struct frec_process_table *table, int folder, uint32_t pid)
{
	FREC_FREE char *text = frec__read_file_at(folder, "maps", MAPS_FILE_MAX);
	struct scanned line[3] = {{.line.path = ""}, {.line.path = ""}};
	char *save = NULL;

	if (!text)
		return;
	for (char *at = strtok_r(text, "\n", &save); at; at = strtok_r(NULL, "\n", &save)) {
		if (!parse_line(at, &line[2]))
			continue;
		add_middle(table, folder, pid, line);
		line[0] = line[1];
		line[1] = line[2];
	}
	line[2] = (struct scanned){.line.path = ""};
	add_middle(table, folder, pid, line);
}

static void read_arguments(struct frec_process *process, int folder)
{
	FREC_CLOSE int fd = openat(folder, "cmdline", O_RDONLY | O_CLOEXEC);
	char arguments[FREC_PROCESS_CMDLINE_MAX], *copy;
	ssize_t n = fd < 0 ? -1 : read(fd, arguments, sizeof(arguments));

	copy = n > 0 ? malloc((size_t)n) : NULL;
	if (!copy)
		return;
	memcpy(copy, arguments, (size_t)n);
	free(process->cmdline);
	process->cmdline = copy;
	process->cmdline_size = (size_t)n;
}

// Returns whether the process in /proc was started after `process`, whose end was not noticed.
static bool is_later_life(const struct frec_process *process, const struct stat_line *line)
{
	return process->start && line->start > process->start + START_JITTER;
}

// Opens the folder of a living process in /proc. Returns the descriptor, or -1 if the process is
// gone, even if another process has its pid by now: that one has started later.
static int open_life(const struct frec_process *process)
{
	FREC_FREE char *text = NULL;
	struct stat_line line;
	char path[64];
	int folder;

	if (!process || process->exit)
		return -1;
	snprintf(path, sizeof(path), "/proc/%u", process->pid);
	folder = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	text = folder < 0 ? NULL : frec__read_file_at(folder, "stat", PROC_FILE_MAX);
	if (text && parse_stat(text, &line) && !is_later_life(process, &line))
		return folder;
	if (folder >= 0)
		close(folder);
	return -1;
}

void frec__process_table_refresh_owner(struct frec_process *process)
{
	FREC_CLOSE int folder = open_life(process);
	struct frec_owner owner;

	if (folder >= 0 && !frec__owner_read(folder, &owner))
		frec__process_set_owner(process, &owner);
}

void frec__process_table_recheck(struct frec_process_table *table, uint32_t uid)
{
	for (size_t i = 0; i < FREC_PROCESS_BUCKETS; i++) {
		struct frec_process *process = table->bucket[i];

		for (; process; process = process->next) {
			struct stat file;
			char path[64];

			if (process->exit || !frec__owner_shows(&process->owner, uid))
				continue;
			// The owner of this file changes with every change of a process's rights.
			snprintf(path, sizeof(path), "/proc/%u/stat", process->pid);
			if (!stat(path, &file) && file.st_uid != uid)
				frec__process_table_refresh_owner(process);
		}
	}
}

void frec__process_table_refresh(struct frec_process_table *table, uint32_t pid)
{
	struct frec_process *process = frec__process_table_find(table, pid);
	FREC_CLOSE int folder = open_life(process);
	struct frec_owner owner;
	struct stat status;
	char target[4096];
	ssize_t n;

	if (folder < 0)
		return;
	if (!frec__owner_read(folder, &owner))
		frec__process_set_owner(process, &owner);
	else if (!fstat(folder, &status))
		// The folder, but not the files in it, belongs to the user even after the process
		// has released its memory.
		frec__process_set_payer(process, status.st_uid);
	n = readlinkat(folder, "exe", target, sizeof(target) - 1);
	if (n > 0) {
		target[n] = 0;
		free(process->executable);
		process->executable = strdup(target);
	}
	read_arguments(process, folder);
}

static void scan_threads(struct frec_process_table *table, int folder, uint32_t pid)
{
	int fd = openat(folder, "task", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	FREC_CLOSEDIR DIR *tasks = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (tasks && (entry = readdir(tasks))) {
		FREC_FREE char *text = NULL;
		struct stat_line line;
		char path[300];

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "task/%s/stat", entry->d_name);
		text = frec__read_file_at(folder, path, PROC_FILE_MAX);
		if (text && parse_stat(text, &line))
			frec__process_table_comm(table, pid,
						 (uint32_t)strtoul(entry->d_name, NULL, 10),
						 line.name, false, 0);
	}
}

// Returns whether the process in /proc is `process`, which has ended, but whose parent has not
// waited for it yet. Both start times are computed from the same number in /proc, so they differ
// only by changes of the offset between two clocks.
static bool is_same_life(const struct frec_process *process, const struct stat_line *line)
{
	int64_t apart = (int64_t)(line->start - process->start);

	if (!process->start)
		return line->start < process->exit;
	return apart > -START_JITTER && apart < START_JITTER;
}

struct frec_process *frec__process_table_scan_one(struct frec_process_table *table, uint32_t pid)
{
	FREC_FREE char *text = NULL;
	FREC_CLOSE int folder = -1;
	struct frec_process *process;
	struct stat_line line;
	char path[300];

	snprintf(path, sizeof(path), "/proc/%u", pid);
	folder = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (folder < 0)
		return NULL;
	text = frec__read_file_at(folder, "stat", PROC_FILE_MAX);
	if (!text || !parse_stat(text, &line))
		return NULL;
	process = frec__process_table_find(table, pid);
	if (process && !process->exit && !is_later_life(process, &line))
		return process;
	if (process && !process->exit)
		frec__process_table_end(table, pid, line.start);
	else if (process && is_same_life(process, &line))
		return NULL;
	if (process) {
		// Another process has the pid now. It may have called exec already, so what
		// frec__process_table_fork() copies from its parent is cleared again.
		frec__process_table_fork(table, pid, line.ppid, pid, line.start);
		frec__process_table_comm(table, pid, pid, line.name, true, line.start);
	} else {
		frec__process_table_comm(table, pid, pid, line.name, false, 0);
	}
	process = frec__process_table_find(table, pid);
	if (!process || process->exit)
		return NULL;
	process->ppid = line.ppid;
	process->start = line.start;
	frec__process_link(table, process);
	process->kernel = line.flags & FLAG_KERNEL_THREAD;
	scan_threads(table, folder, pid);
	frec__process_table_refresh(table, pid);
	read_maps(table, folder, pid);
	return process;
}

void frec__process_table_remap(struct frec_process_table *table, uint32_t pid)
{
	FREC_CLOSE int folder = -1;

	frec__process_table_refresh(table, pid);
	folder = open_life(frec__process_table_find(table, pid));
	if (folder < 0)
		return;
	frec__process_table_unmap(table, pid);
	read_maps(table, folder, pid);
}

int frec__process_table_scan(struct frec_process_table *table)
{
	FREC_CLOSEDIR DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (!proc)
		return -errno;
	while ((entry = readdir(proc))) {
		uint32_t pid = (uint32_t)strtoul(entry->d_name, NULL, 10);

		// A process that is in the table was reported by the sideband, which is already
		// running, and needs no scan.
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    !frec__process_table_find(table, pid))
			frec__process_table_scan_one(table, pid);
	}
	frec__process_table_link(table);
	return 0;
}
