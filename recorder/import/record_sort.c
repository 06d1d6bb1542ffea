// SPDX-License-Identifier: MIT
// Sorts runs, each of as many records as fit into memory, and merges all runs in one pass. A
// recording is nearly sorted already, so the merge mostly reads one run after the other.
#include "recorder/import/record_sort.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/grow.h"

#define RECORD_MAX (128u << 10)
// There is room for one item per this many bytes of records, so items need less memory than
// records. If records are smaller on average, memory counts as full when there is no room for
// another item.
#define ITEMS_PER_BYTE_MAX 64
#define RUN_ROOM (256u << 10)

// Precedes each record in the temporary file.
struct head {
	uint64_t key, time;
	uint32_t size, reserved;
};

int frec__record_sort_init(struct frec_record_sort *sort, int folder, size_t room)
{
	*sort = (struct frec_record_sort){.folder = folder, .room = room, .fd = -1};
	sort->items_room = room / ITEMS_PER_BYTE_MAX;
	sort->data = malloc(room);
	sort->items = malloc(sort->items_room * sizeof(*sort->items));
	if (sort->data && sort->items)
		return 0;
	frec__record_sort_deinit(sort);
	return -ENOMEM;
}

void frec__record_sort_deinit(struct frec_record_sort *sort)
{
	for (size_t i = 0; i < sort->run_count; i++)
		free(sort->runs[i].data);
	free(sort->runs);
	free(sort->items);
	free(sort->data);
	if (sort->fd >= 0)
		close(sort->fd);
	*sort = (struct frec_record_sort){.fd = -1};
}

static int fail(int error, struct frec_error *reterr)
{
	return frec__error(reterr, -error, "cannot sort the records in a temporary file: %s",
			   strerror(error));
}

static int compare(const struct frec_sort_item *x, const struct frec_sort_item *y)
{
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->time > y->time) - (x->time < y->time);
}

static int by_order(const void *a, const void *b)
{
	const struct frec_sort_item *x = a, *y = b;
	int order = compare(x, y);

	return order ? order : (x->at > y->at) - (x->at < y->at);
}

static int write_all(struct frec_record_sort *sort, const uint8_t *data, size_t size,
		     struct frec_error *reterr)
{
	while (size) {
		ssize_t n = pwrite(sort->fd, data, size, (off_t)sort->written);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(errno, reterr);
		data += n;
		size -= (size_t)n;
		sort->written += (uint64_t)n;
	}
	return 0;
}

static int open_temporary(struct frec_record_sort *sort)
{
	char path[] = "/var/tmp/flightrec-XXXXXX";

	sort->fd = openat(sort->folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (sort->fd >= 0)
		return 0;
	// Not every file system supports O_TMPFILE. On those that do not, /var/tmp is used instead.
	sort->fd = mkostemp(path, O_CLOEXEC);
	if (sort->fd < 0)
		return -errno;
	unlink(path);
	return 0;
}

// Writes the records in memory, which are sorted, to the temporary file as a run.
static int write_run(struct frec_record_sort *sort, struct frec_error *reterr)
{
	FREC_FREE uint8_t *block = malloc(RUN_ROOM);
	size_t filled = 0;
	uint64_t offset = sort->written;
	int r = 0;

	if (!block || !frec__grow(&sort->runs, sort->run_count, sizeof(*sort->runs)))
		r = frec__error(reterr, -ENOMEM, "out of memory");
	else if (sort->fd < 0 && open_temporary(sort))
		r = fail(errno, reterr);
	for (size_t i = 0; i < sort->count && !r; i++) {
		const struct frec_sort_item *item = &sort->items[i];
		struct head head = {.key = item->key, .time = item->time, .size = item->size};

		if (filled + sizeof(head) + item->size > RUN_ROOM) {
			r = write_all(sort, block, filled, reterr);
			filled = 0;
		}
		memcpy(block + filled, &head, sizeof(head));
		memcpy(block + filled + sizeof(head), sort->data + item->at, item->size);
		filled += sizeof(head) + item->size;
	}
	if (!r)
		r = write_all(sort, block, filled, reterr);
	if (!r)
		sort->runs[sort->run_count++] =
			(struct frec_sort_run){.offset = offset, .end = sort->written};
	sort->count = sort->size = 0;
	return r;
}

static void sort_memory(struct frec_record_sort *sort)
{
	bool sorted = true;

	for (size_t i = 1; i < sort->count && sorted; i++)
		sorted = compare(&sort->items[i - 1], &sort->items[i]) <= 0;
	if (!sorted)
		qsort(sort->items, sort->count, sizeof(*sort->items), by_order);
}

int frec__record_sort_add(struct frec_record_sort *sort, uint64_t key, uint64_t time,
			  const void *record, uint32_t size, struct frec_error *reterr)
{
	int r = 0;

	if (size > RECORD_MAX)
		return frec__error(reterr, -E2BIG, "a record is too large");
	if (sort->size + size > sort->room || sort->count == sort->items_room) {
		sort_memory(sort);
		r = write_run(sort, reterr);
	}
	if (r)
		return r;
	memcpy(sort->data + sort->size, record, size);
	sort->items[sort->count++] =
		(struct frec_sort_item){.key = key, .time = time, .at = sort->size, .size = size};
	sort->size += size;
	return 0;
}

// Reads the head of a run's next record into run->head. Returns 1, 0 at the end of the run, or a
// negative errno.
static int advance(struct frec_record_sort *sort, struct frec_sort_run *run,
		   struct frec_error *reterr)
{
	struct head head;

	// The whole record must be in memory, whatever its size.
	while (run->size - run->at < sizeof(head) + RECORD_MAX && run->offset < run->end) {
		uint64_t left = run->end - run->offset;
		size_t room;
		ssize_t n;

		memmove(run->data, run->data + run->at, run->size - run->at);
		run->size -= run->at;
		run->at = 0;
		room = RUN_ROOM - run->size;
		n = pread(sort->fd, run->data + run->size, left < room ? (size_t)left : room,
			  (off_t)run->offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(n ? errno : EIO, reterr);
		run->size += (size_t)n;
		run->offset += (uint64_t)n;
	}
	if (run->at == run->size)
		return 0;
	memcpy(&head, run->data + run->at, sizeof(head));
	run->head = (struct frec_sort_item){.key = head.key,
					    .time = head.time,
					    .size = head.size,
					    .at = run->at + sizeof(head)};
	run->at += sizeof(head) + head.size;
	return 1;
}

// If records have the same key and time, the one of the earlier run comes first.
static bool before(const struct frec_sort_run *x, const struct frec_sort_run *y)
{
	int order = compare(&x->head, &y->head);

	return order ? order < 0 : x->end < y->end;
}

static void sift_down(struct frec_record_sort *sort, size_t i)
{
	for (;;) {
		size_t least = i;
		struct frec_sort_run run;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < sort->run_count;
		     child++) {
			if (before(&sort->runs[child], &sort->runs[least]))
				least = child;
		}
		if (least == i)
			return;
		run = sort->runs[i];
		sort->runs[i] = sort->runs[least];
		sort->runs[least] = run;
		i = least;
	}
}

static int start(struct frec_record_sort *sort, struct frec_error *reterr)
{
	int r = 0;

	sort->reading = true;
	sort_memory(sort);
	if (!sort->run_count)
		return 0;
	r = write_run(sort, reterr);
	free(sort->data);
	free(sort->items);
	sort->data = NULL;
	sort->items = NULL;
	for (size_t i = 0; i < sort->run_count && !r; i++) {
		sort->runs[i].data = malloc(RUN_ROOM);
		if (!sort->runs[i].data)
			return frec__error(reterr, -ENOMEM, "out of memory");
		r = advance(sort, &sort->runs[i], reterr);
		r = r > 0 ? 0 : r ? r : fail(EIO, reterr);
	}
	for (size_t i = sort->run_count; i-- > 0 && !r;)
		sift_down(sort, i);
	return r;
}

int frec__record_sort_next(struct frec_record_sort *sort, struct frec_sort_item *ret,
			   const uint8_t **ret_record, struct frec_error *reterr)
{
	int r;

	if (!sort->reading) {
		r = start(sort, reterr);
		if (r)
			return r;
	} else if (sort->run_count) {
		// The run of the record that was returned last is still on top of the heap.
		r = advance(sort, &sort->runs[0], reterr);
		if (r < 0)
			return r;
		if (!r) {
			free(sort->runs[0].data);
			sort->runs[0] = sort->runs[--sort->run_count];
		}
		sift_down(sort, 0);
	}
	if (sort->fd >= 0) {
		if (!sort->run_count)
			return 0;
		*ret = sort->runs[0].head;
		*ret_record = sort->runs[0].data + ret->at;
		return 1;
	}
	if (sort->next == sort->count)
		return 0;
	*ret = sort->items[sort->next++];
	*ret_record = sort->data + ret->at;
	return 1;
}
