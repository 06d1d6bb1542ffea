// SPDX-License-Identifier: MIT
// Opens mapped files while their processes live. Files are compared by device and inode, and by
// build-id, because file systems with snapshots can have two files with the same numbers.
#include "recorder/processes/held_files.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "proto/grow.h"
#include "proto/limits.h"
#include "proto/read_file.h"
#include "proto/share.h"
#include "recorder/processes/build_ids.h"
#include "recorder/processes/proc_poll.h"

#define MAPS_FILE_MAX (4u << 20)

static bool has_room(const struct frec_process_table *table, uint32_t uid)
{
	uint64_t most = frec__limit_of(RLIMIT_NOFILE) / 4;
	struct frec_share share = {.uid = uid};

	if (most > FREC_HELD_FILES_MAX)
		most = FREC_HELD_FILES_MAX;
	for (size_t i = 0; i < table->held_files; i++)
		frec__share_count(&share, table->held_file[i]->uid, 1);
	return frec__share_has_room(&share, 1, (size_t)most);
}

static void sweep(struct frec_process_table *table)
{
	for (size_t i = table->held_files; i-- > 0;) {
		struct frec_held_file *file = table->held_file[i];

		if (file->users)
			continue;
		close(file->fd);
		free(file);
		table->held_file[i] = table->held_file[--table->held_files];
	}
}

static bool is_file(const struct frec_held_file *file, dev_t device, ino_t inode,
		    const struct frec_mapping *map)
{
	// An unknown build-id contradicts no other one.
	return file->device == device && file->inode == inode &&
	       (file->build_id_size != map->build_id_size || !map->build_id_size ||
		!memcmp(file->build_id, map->build_id, map->build_id_size));
}

static struct frec_held_file *find(const struct frec_process_table *table, dev_t device,
				   ino_t inode, const struct frec_mapping *map)
{
	for (size_t i = 0; i < table->held_files; i++) {
		if (is_file(table->held_file[i], device, inode, map))
			return table->held_file[i];
	}
	return NULL;
}

// Holds an open file, or finds it among those that are held. Takes ownership of `fd`, which may be
// -1. Returns NULL if the file cannot be held.
static struct frec_held_file *hold_open(struct frec_process_table *table, uint32_t uid, int fd,
					const struct frec_mapping *map)
{
	struct frec_held_file *file;
	struct stat status;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &status))
		status = (struct stat){0};
	file = find(table, status.st_dev, status.st_ino, map);
	if (file || !S_ISREG(status.st_mode) || !has_room(table, uid) ||
	    !frec__grow(&table->held_file, table->held_files, sizeof(*table->held_file)) ||
	    !(file = malloc(sizeof(*file)))) {
		close(fd);
		return file;
	}
	*file = (struct frec_held_file){
		.device = status.st_dev, .inode = status.st_ino, .fd = fd, .uid = uid};
	memcpy(file->build_id, map->build_id, sizeof(file->build_id));
	file->build_id_size = map->build_id_size;
	return table->held_file[table->held_files++] = file;
}

// Finds or opens the file of a mapping. `proc` is the open /proc/PID. Returns NULL if that is not
// possible.
static struct frec_held_file *hold(struct frec_process_table *table, uint32_t uid, int proc,
				   dev_t device, ino_t inode, const struct frec_mapping *map)
{
	struct frec_held_file *file = find(table, device, inode, map);

	return file ? file
		    : hold_open(table, uid, frec__mapped_file_open(proc, device, inode, map), map);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

// Returns whether a mapping of the table is, or was, one with a line of /proc/PID/maps. The folders
// of their paths can differ: one is as the process saw it, the other as the recorder sees it.
static bool is_part(const struct frec_mapping *map, const struct frec_mapping *line)
{
	return *map->path == '/' && map->start < line->end && line->start < map->end &&
	       map->offset - map->start == line->offset - line->start &&
	       frec__is_same_path(base_name(map->path), base_name(line->path));
}

static void hold_mapping(struct frec_process_table *table, struct frec_process *process, int proc,
			 const struct frec_mapping *line, dev_t device, ino_t inode)
{
	for (size_t i = 0; i < process->maps; i++) {
		struct frec_mapping *map = &process->map[i];

		if (map->held || !is_part(map, line))
			continue;
		// The link in /proc has the bounds of the line, and the table the build-id.
		struct frec_mapping both = *line;

		memcpy(both.build_id, map->build_id, sizeof(both.build_id));
		both.build_id_size = map->build_id_size;
		map->held = hold(table, process->payer, proc, device, inode, &both);
		if (map->held)
			map->held->users++;
	}
}

// Code that was moved to anonymous memory (moved_text.h) has the file of the mappings around it.
static void hold_moved(struct frec_process *process)
{
	for (size_t i = 0; i < process->maps; i++) {
		struct frec_mapping *map = &process->map[i];

		for (size_t k = 0; k < process->maps && !map->held && *map->path == '/'; k++) {
			const struct frec_mapping *other = &process->map[k];

			if (!other->held || other->build_id_size != map->build_id_size ||
			    memcmp(other->build_id, map->build_id, map->build_id_size) ||
			    !frec__is_same_path(other->path, map->path))
				continue;
			map->held = other->held;
			map->held->users++;
		}
	}
}

static void hold_process(struct frec_process_table *table, struct frec_process *process)
{
	FREC_CLOSE int proc = -1;
	FREC_FREE char *text = NULL;
	char path[32], *save = NULL;

	snprintf(path, sizeof(path), "/proc/%u", process->pid);
	proc = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	text = proc < 0 ? NULL : frec__read_file_at(proc, "maps", MAPS_FILE_MAX);
	if (!text)
		return;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct frec_mapping map = {0};
		unsigned int major, minor;
		unsigned long inode;
		char permissions[8];
		int at = 0;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %x:%x %lu %n", &map.start,
			   &map.end, permissions, &map.offset, &major, &minor, &inode, &at) < 7 ||
		    !at || permissions[2] != 'x' || line[at] != '/')
			continue;
		map.path = line + at;
		hold_mapping(table, process, proc, &map, makedev(major, minor), inode);
	}
	hold_moved(process);
}

// Opens what the link of a mapping in /proc leads to, if that has the name of the mapping: another
// file may be mapped there by now. Returns -1 if it has not.
static int open_link(uint32_t pid, const struct frec_mapping *map)
{
	char path[96], target[4096];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/map_files/%" PRIx64 "-%" PRIx64, pid, map->start,
		 map->end);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return -1;
	target[n] = 0;
	if (!frec__is_same_path(base_name(map->path), base_name(target)))
		return -1;
	return open(path, O_PATH | O_CLOEXEC);
}

void frec__held_files_add(struct frec_process_table *table, struct frec_process *process,
			  struct frec_mapping *map)
{
	map->held = hold_open(table, process->payer, open_link(process->pid, map), map);
	if (map->held)
		map->held->users++;
	else
		table->holds_more = process->holds_more = true;
}

void frec__held_files_begin(struct frec_process_table *table, struct frec_process *process)
{
	process->holds = true;
	process->holds_more = false;
	if (!process->exit)
		hold_process(table, process);
}

static void set_name(struct frec_emitting_file *file, const char *path)
{
	static const char remark[] = " (deleted)";
	const char *name = base_name(path);
	size_t length = strlen(name), remark_length = sizeof(remark) - 1;

	if (length > remark_length && !strcmp(name + length - remark_length, remark))
		length -= remark_length;
	snprintf(file->name, sizeof(file->name), "%.*s", (int)length, name);
}

// Returns whether a mapping is one of the file. The name is compared first, because that costs no
// system call.
static bool is_emitting(const struct frec_emitting_file *file, uint32_t pid,
			const struct frec_mapping *map)
{
	struct frec_emitting_file mapped;
	struct stat status;
	char path[96];

	if (*map->path != '/')
		return false;
	set_name(&mapped, map->path);
	if (strcmp(mapped.name, file->name))
		return false;
	snprintf(path, sizeof(path), "/proc/%u/map_files/%" PRIx64 "-%" PRIx64, pid, map->start,
		 map->end);
	return !stat(path, &status) && status.st_dev == file->device &&
	       status.st_ino == file->inode;
}

static void find_emitters(struct frec_process_table *table, const struct frec_emitting_file *file)
{
	for (size_t i = 0; i < FREC_PROCESS_BUCKETS; i++) {
		struct frec_process *process = table->bucket[i];

		for (; process; process = process->next) {
			for (size_t k = 0; k < process->maps && !process->holds && !process->exit;
			     k++) {
				if (is_emitting(file, process->pid, &process->map[k]))
					frec__held_files_begin(table, process);
			}
		}
	}
}

void frec__held_files_emitters(struct frec_process_table *table, int fd)
{
	struct frec_emitting_file *file;
	char link[32], path[4096];
	struct stat status;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0 || fstat(fd, &status) || table->emitting_files == FREC_EMITTING_FILES_MAX ||
	    !frec__grow(&table->emitting_file, table->emitting_files, sizeof(*file)))
		return;
	path[n] = 0;
	file = &table->emitting_file[table->emitting_files++];
	file->device = status.st_dev;
	file->inode = status.st_ino;
	set_name(file, path);
	find_emitters(table, file);
}

void frec__held_files_mapped(struct frec_process_table *table, uint32_t pid,
			     const struct frec_mapping *map)
{
	struct frec_process *process = frec__process_table_find(table, pid);

	for (size_t i = 0; i < table->emitting_files && process && !process->holds; i++) {
		if (is_emitting(&table->emitting_file[i], pid, map))
			frec__held_files_begin(table, process);
	}
}

void frec__held_files_update(struct frec_process_table *table)
{
	uint64_t now = frec__monotonic();

	if (!table->holds_more || now < table->next_hold)
		return;
	table->holds_more = false;
	for (size_t i = 0; i < FREC_PROCESS_BUCKETS; i++) {
		struct frec_process *process = table->bucket[i];

		for (; process; process = process->next) {
			if (process->holds_more && !process->exit)
				hold_process(table, process);
			process->holds_more = false;
		}
	}
	sweep(table);
	table->next_hold = frec__process_table_next_poll(now, 0);
}

static void let_go(struct frec_process *process)
{
	for (size_t i = 0; i < process->maps; i++) {
		if (process->map[i].held)
			process->map[i].held->users--;
		process->map[i].held = NULL;
	}
	process->holds = false;
}

void frec__held_files_release(struct frec_process_table *table,
			      bool (*is_needed)(void *context, const struct frec_process *),
			      void *context)
{
	if (!table->held_ended)
		return;
	table->held_ended = false;
	for (size_t i = 0; i < FREC_PROCESS_BUCKETS; i++) {
		struct frec_process *process = table->bucket[i];

		for (; process; process = process->next) {
			if (!process->holds || !process->exit)
				continue;
			if (is_needed(context, process))
				table->held_ended = true;
			else
				let_go(process);
		}
	}
	sweep(table);
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int *frec__held_files_list(const struct frec_process_table *table, size_t *ret_count)
{
	int *list = table->held_files ? calloc(table->held_files, sizeof(*list)) : NULL;

	*ret_count = list ? table->held_files : 0;
	for (size_t i = 0; i < *ret_count; i++)
		list[i] = table->held_file[i]->fd;
	if (list)
		qsort(list, *ret_count, sizeof(*list), by_number);
	return list;
}

const char *frec__held_file_path(const struct frec_held_file *file, char ret[FREC_HELD_PATH_SIZE])
{
	snprintf(ret, FREC_HELD_PATH_SIZE, "/proc/self/fd/%d", file->fd);
	return ret;
}

void frec__held_files_deinit(struct frec_process_table *table)
{
	sweep(table);
	free(table->held_file);
	free(table->emitting_file);
}
