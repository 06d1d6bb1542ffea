// SPDX-License-Identifier: MIT
// Keeps copies of records: the last of all in a ring buffer, and the last of each thread.
#include "export/report/last_records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int keep(struct frec_kept_record *kept, const struct frec_record *record)
{
	uint8_t *data = realloc(kept->data, record->size);

	if (!data)
		return -ENOMEM;
	memcpy(data, record->data, record->size);
	kept->data = data;
	kept->size = record->size;
	return 0;
}

int frec__last_records_add(struct frec_last_records *last, const struct frec_record *record)
{
	size_t slot;

	if (!last->room)
		return 0;
	slot = (size_t)(last->seen % last->room);
	// The array grows up to `room` slots only as records come: a request for the last million
	// events of a file with ten events does not allocate a million slots.
	if (slot == last->capacity) {
		size_t more = last->capacity ? 2 * last->capacity : 16;
		struct frec_kept_record *grown;

		more = more > last->room ? last->room : more;
		grown = reallocarray(last->kept, more, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		memset(grown + last->capacity, 0, (more - last->capacity) * sizeof(*grown));
		last->kept = grown;
		last->capacity = more;
	}
	last->seen++;
	return keep(&last->kept[slot], record);
}

void frec__last_records_deinit(struct frec_last_records *last)
{
	for (size_t i = 0; i < last->capacity; i++)
		free(last->kept[i].data);
	free(last->kept);
	*last = (struct frec_last_records){0};
}

int frec__last_of_threads_add(struct frec_last_of_threads *last, const struct frec_record *record,
			      uint64_t number)
{
	size_t at = last->recent;

	if (!last->threads) {
		last->threads = calloc(FREC_LAST_THREADS_MAX, sizeof(*last->threads));
		if (!last->threads)
			return -ENOMEM;
	}
	// The thread of the previous record is tried first, because most records have the same
	// thread as the one before.
	if (at >= last->count || last->threads[at].tid != record->tid) {
		for (at = 0; at < last->count && last->threads[at].tid != record->tid; at++)
			;
		if (at == FREC_LAST_THREADS_MAX)
			return 0;
		last->recent = at;
	}
	if (at == last->count)
		last->threads[last->count++].tid = record->tid;
	last->threads[at].number = number;
	return keep(&last->threads[at].kept, record);
}

static int by_number(const void *a, const void *b)
{
	const struct frec_thread_last *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

void frec__last_of_threads_sort(struct frec_last_of_threads *last)
{
	if (last->count)
		qsort(last->threads, last->count, sizeof(*last->threads), by_number);
}

void frec__last_of_threads_deinit(struct frec_last_of_threads *last)
{
	for (size_t i = 0; i < last->count; i++)
		free(last->threads[i].kept.data);
	free(last->threads);
	*last = (struct frec_last_of_threads){0};
}
