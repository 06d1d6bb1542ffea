// SPDX-License-Identifier: MIT
#include "emit_readers.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RING_PAGES 16
#define COMMON_FIELDS 8

const char *tracefs = "/sys/kernel/tracing";

const char *read_tracefs(const char *name)
{
	static char buffer[1 << 20];
	char path[PATH_MAX];
	size_t size = 0;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", tracefs, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (got = read(fd, buffer + size, sizeof(buffer) - 1 - size)) > 0)
		size += (size_t)got;
	if (fd >= 0)
		close(fd);
	buffer[size] = 0;
	return buffer;
}

bool write_tracefs(const char *name, const char *text)
{
	char path[PATH_MAX];
	ssize_t written;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", tracefs, name);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return false;
	written = write(fd, text, strlen(text));
	close(fd);
	return written == (ssize_t)strlen(text);
}

bool listen_to(const char *event, bool on)
{
	char name[256];

	snprintf(name, sizeof(name), "events/%s/enable", event);
	return write_tracefs(name, on ? "1" : "0");
}

int trace_count(const char *text)
{
	int count = 0;

	for (const char *line = read_tracefs("trace"); line; line = strchr(line + 1, '\n')) {
		const char *end = strchr(line + 1, '\n');

		if (*line &&
		    memmem(line, end ? (size_t)(end - line) : strlen(line), text, strlen(text)))
			count++;
	}
	return count;
}

void trace_clear(void)
{
	write_tracefs("trace", "");
}

int perf_open(const char *event, void **ret_ring)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_RAW,
	};
	char name[256];
	int fd;

	snprintf(name, sizeof(name), "events/%s/id", event);
	attr.config = strtoull(read_tracefs(name), NULL, 10);
	fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return fd;
	*ret_ring = mmap(NULL, (RING_PAGES + 1) * (size_t)getpagesize(), PROT_READ | PROT_WRITE,
			 MAP_SHARED, fd, 0);
	return *ret_ring == MAP_FAILED ? -1 : fd;
}

long perf_read(void *ring, void *to, size_t size)
{
	struct perf_event_mmap_page *page = ring;
	const char *data = (char *)ring + getpagesize();
	struct {
		struct perf_event_header header;
		uint32_t raw_size;
	} record;

	if (__atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE) == 0)
		return -1;
	memcpy(&record, data, sizeof(record));
	if (record.header.type != PERF_RECORD_SAMPLE)
		return -1;
	memcpy(to, data + sizeof(record) + COMMON_FIELDS,
	       record.raw_size - COMMON_FIELDS < size ? record.raw_size - COMMON_FIELDS : size);
	return (long)record.raw_size - COMMON_FIELDS;
}

void perf_close(int fd, void *ring)
{
	munmap(ring, (RING_PAGES + 1) * (size_t)getpagesize());
	close(fd);
}
