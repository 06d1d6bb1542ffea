// SPDX-License-Identifier: MIT
// Finds the times at which one mapping replaced another. Mappings are sorted by address, and each
// is compared with the one before it that reaches furthest.
#include "unwind/epochs.h"

#include <errno.h>
#include <stdlib.h>

static int by_time(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int by_start(const void *a, const void *b)
{
	const struct frec_mapped_span *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

int frec__epochs_init(struct frec_epochs *epochs, struct frec_mapped_span *spans, size_t count)
{
	struct frec_mapped_span reach = {0}; // the mapping with the highest end so far

	*epochs = (struct frec_epochs){.replaced = calloc(count + 1, sizeof(*epochs->replaced))};
	if (!epochs->replaced)
		return -ENOMEM;
	qsort(spans, count, sizeof(*spans), by_start);
	for (size_t i = 0; i < count; i++) {
		if (spans[i].start < reach.end && spans[i].since != reach.since)
			epochs->replaced[epochs->count++] =
				spans[i].since > reach.since ? spans[i].since : reach.since;
		if (spans[i].end > reach.end)
			reach = spans[i];
	}
	qsort(epochs->replaced, epochs->count, sizeof(*epochs->replaced), by_time);
	return 0;
}

void frec__epochs_deinit(struct frec_epochs *epochs)
{
	free(epochs->replaced);
	*epochs = (struct frec_epochs){0};
}

size_t frec__epochs_at(const struct frec_epochs *epochs, uint64_t time)
{
	size_t low = 0, high = epochs->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (epochs->replaced[middle] <= time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t frec__epochs_end(const struct frec_epochs *epochs, size_t epoch)
{
	return epoch < epochs->count ? epochs->replaced[epoch] : UINT64_MAX;
}
