// SPDX-License-Identifier: MIT
// Records registers and stack bytes of real programs with the kernel's perf events.
#include "tests/unwind/recording.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/bytes.h"
#include "proto/grow.h"
#include "unwind/elf_file.h"

#define RING_PAGES 4096
#define CPUS_MAX 256

struct ring {
	int fd;
	struct perf_event_mmap_page *page;
};

static int read_text(const char *path, char **ret)
{
	size_t room = 4096, size = 0;
	char *text = malloc(room);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = -1;

	while (fd >= 0 && text && (got = read(fd, text + size, room - size - 1)) > 0) {
		size += (size_t)got;
		if (size + 1 == room) {
			room *= 2;
			text = realloc(text, room);
		}
	}
	if (fd >= 0)
		close(fd);
	if (got < 0 || !text) {
		free(text);
		return -ENOENT;
	}
	text[size] = '\0';
	*ret = text;
	return 0;
}

static void keep_sample(struct recording *recording, size_t room, const uint8_t *body)
{
	struct recorded_stack *stack = &recording->stacks[recording->stack_count];
	uint64_t abi, size, used;

	if (recording->stack_count == room)
		return;
	body += 8; // pid, tid
	memcpy(&abi, body, 8);
	body += 8;
	if (!abi)
		return;
	stack->mask = RECORDING_MASK;
	stack->count = (size_t)__builtin_popcountll(RECORDING_MASK);
	memcpy(stack->values, body, 8 * stack->count);
	body += 8 * stack->count;
	memcpy(&size, body, 8);
	body += 8;
	used = 0;
	if (size)
		memcpy(&used, body + size, 8);
	stack->stack.address = stack->values[7];
#if defined(__aarch64__)
	stack->stack.address = stack->values[31];
#endif
	stack->stack.size = used;
	stack->stack.data = malloc(used + 1);
	if (!stack->stack.data)
		return;
	memcpy((uint8_t *)(uintptr_t)stack->stack.data, body, used);
	recording->stack_count++;
}

static void drain(struct ring *ring, struct recording *recording, size_t room)
{
	static uint8_t record[1 << 16];
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = ring->page->data_tail, size = ring->page->data_size;
	const uint8_t *data = (const uint8_t *)ring->page + ring->page->data_offset;

	while (tail < head) {
		struct perf_event_header header;

		for (size_t i = 0; i < sizeof(header); i++)
			((uint8_t *)&header)[i] = data[(tail + i) % size];
		for (size_t i = 0; i < header.size; i++)
			record[i] = data[(tail + i) % size];
		if (header.type == PERF_RECORD_SAMPLE)
			keep_sample(recording, room, record + sizeof(header));
		tail += header.size;
	}
	__atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
}

// Opens one event for each CPU: only then can an event that threads inherit have a ring.
static int open_rings(pid_t tid, uint32_t bytes, unsigned int per_second, struct ring *rings,
		      size_t *count)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.freq = 1,
		.sample_freq = per_second,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER,
		.sample_regs_user = RECORDING_MASK,
		.sample_stack_user = bytes,
		.exclude_kernel = 1,
		.inherit = 1,
		.wakeup_events = 1,
	};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (int cpu = 0; cpu < cpus && *count < CPUS_MAX; cpu++) {
		struct ring *ring = &rings[*count];
		size_t size = (RING_PAGES + 1) * (size_t)sysconf(_SC_PAGESIZE);

		ring->fd = (int)syscall(SYS_perf_event_open, &attr, tid, cpu, -1,
					PERF_FLAG_FD_CLOEXEC);
		if (ring->fd < 0)
			return -errno;
		ring->page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
		if (ring->page == MAP_FAILED) {
			close(ring->fd);
			return -errno;
		}
		++*count;
	}
	return 0;
}

int recording_take(pid_t pid, size_t count, uint32_t bytes, unsigned int per_second,
		   struct recording *ret)
{
	struct recording recording = {0};
	struct ring rings[CPUS_MAX];
	size_t ring_count = 0;
	char path[64];
	int r;

	recording.stacks = calloc(count, sizeof(*recording.stacks));
	if (!recording.stacks)
		return -ENOMEM;
	r = open_rings(pid, bytes, per_second, rings, &ring_count);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	while (!r && recording.stack_count < count) {
		char *maps;

		usleep(20000);
		for (size_t i = 0; i < ring_count; i++)
			drain(&rings[i], &recording, count);
		// If the program has exited, keep the last mappings that could be read.
		if (read_text(path, &maps) || !*maps)
			break;
		free(recording.maps_text);
		recording.maps_text = maps;
	}
	for (size_t i = 0; i < ring_count; i++) {
		munmap(rings[i].page, (RING_PAGES + 1) * (size_t)sysconf(_SC_PAGESIZE));
		close(rings[i].fd);
	}
	if (!r)
		r = recording_parse_maps(&recording, false);
	if (r)
		recording_free(&recording);
	else
		*ret = recording;
	return r;
}

static void read_build_id(struct frec_unwind_map *map)
{
	struct frec_elf *elf;
	uint8_t *bytes;

	if (frec__elf_open(map->path, &elf, NULL))
		return;
	bytes = malloc(FREC_BUILD_ID_MAX);
	if (bytes) {
		memcpy(bytes, elf->build_id.bytes, FREC_BUILD_ID_MAX);
		map->build_id = bytes;
		map->build_id_size = elf->build_id.size;
	}
	frec__elf_close(elf);
}

int recording_parse_maps(struct recording *recording, bool build_ids)
{
	char *line, *rest, *copy = strdup(recording->maps_text ? recording->maps_text : "");

	if (!copy)
		return -ENOMEM;
	for (line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		struct frec_unwind_map map = {0};
		char protection[8];
		int at = 0;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %*s %*s %n", &map.start,
			   &map.end, protection, &map.offset, &at) < 4 ||
		    protection[2] != 'x')
			continue;
		map.path = strdup(at ? line + at : "");
		if (build_ids)
			read_build_id(&map);
		if (!map.path ||
		    !frec__grow(&recording->maps, recording->map_count, sizeof(*recording->maps)))
			abort();
		recording->maps[recording->map_count++] = map;
	}
	free(copy);
	return 0;
}

int recording_save(const struct recording *recording, const char *path)
{
	FILE *file = fopen(path, "we");
	uint64_t length = strlen(recording->maps_text), count = recording->stack_count;

	if (!file)
		return -errno;
	fwrite(&length, 8, 1, file);
	fwrite(recording->maps_text, 1, length, file);
	fwrite(&count, 8, 1, file);
	for (size_t i = 0; i < count; i++) {
		const struct recorded_stack *stack = &recording->stacks[i];
		uint64_t head[] = {stack->mask, stack->count, stack->stack.address,
				   stack->stack.size};

		fwrite(head, sizeof(head), 1, file);
		fwrite(stack->values, 8, stack->count, file);
		fwrite(stack->stack.data, 1, stack->stack.size, file);
	}
	return fclose(file) ? -EIO : 0;
}

static bool map_file(const char *path, struct recording *recording)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

	if (size > 0)
		recording->image = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (fd >= 0)
		close(fd);
	if (size <= 0 || recording->image == MAP_FAILED)
		recording->image = NULL;
	recording->image_size = recording->image ? (size_t)size : 0;
	return recording->image;
}

int recording_load(const char *path, struct recording *ret)
{
	struct recording recording = {0};
	struct frec_bytes cursor;
	const uint8_t *text;
	uint64_t length, count;

	if (!map_file(path, &recording))
		return -ENOENT;
	cursor = frec__bytes(recording.image, recording.image_size);
	length = frec__bytes_number(&cursor, 8);
	text = frec__bytes_take(&cursor, length);
	count = frec__bytes_number(&cursor, 8);
	if (text && count <= recording.image_size) {
		recording.maps_text = strndup((const char *)text, length);
		recording.stacks = calloc(count, sizeof(*recording.stacks));
	}
	if (!recording.stacks || !recording.maps_text)
		frec__bytes_fail(&cursor);
	for (size_t i = 0; i < count && !cursor.failed; i++) {
		struct recorded_stack *stack = &recording.stacks[i];
		const uint8_t *values;

		stack->mask = frec__bytes_number(&cursor, 8);
		stack->count = frec__bytes_number(&cursor, 8);
		stack->stack.address = frec__bytes_number(&cursor, 8);
		stack->stack.size = frec__bytes_number(&cursor, 8);
		values = stack->count > 64 ? NULL : frec__bytes_take(&cursor, 8 * stack->count);
		if (values)
			memcpy(stack->values, values, 8 * stack->count);
		else
			frec__bytes_fail(&cursor);
		stack->stack.data = frec__bytes_take(&cursor, stack->stack.size);
		recording.stack_count = i + 1;
	}
	if (cursor.failed || recording_parse_maps(&recording, false)) {
		recording_free(&recording);
		return -EBADMSG;
	}
	*ret = recording;
	return 0;
}

void recording_free(struct recording *recording)
{
	for (size_t i = 0; i < recording->stack_count && !recording->image; i++)
		free((uint8_t *)(uintptr_t)recording->stacks[i].stack.data);
	if (recording->image)
		munmap((void *)(uintptr_t)recording->image, recording->image_size);
	for (size_t i = 0; i < recording->map_count; i++) {
		free((char *)(uintptr_t)recording->maps[i].path);
		free((uint8_t *)(uintptr_t)recording->maps[i].build_id);
	}
	free(recording->stacks);
	free(recording->maps);
	free(recording->maps_text);
	*recording = (struct recording){0};
}
