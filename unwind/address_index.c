// SPDX-License-Identifier: MIT
// Sorted ranges of addresses.
#include "unwind/address_index.h"

#include <stdlib.h>

#include "proto/grow.h"

// At most this many of the ranges that begin before an address are checked. More than one check is
// needed only if ranges overlap, which they do only if the compiler made an error.
#define BACK_MAX 8

bool frec__address_index_add(struct frec_address_index *index, uint64_t start, uint64_t end,
			     uint64_t value)
{
	if (start >= end)
		return true;
	if (!frec__grow(&index->ranges, index->count, sizeof(*index->ranges)))
		return false;
	index->ranges[index->count++] = (struct frec_address_range){start, end, value};
	return true;
}

static int compare_ranges(const void *left, const void *right)
{
	const struct frec_address_range *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->value > b->value) - (a->value < b->value);
}

void frec__address_index_sort(struct frec_address_index *index)
{
	if (index->count)
		qsort(index->ranges, index->count, sizeof(*index->ranges), compare_ranges);
}

bool frec__address_index_find(const struct frec_address_index *index, uint64_t address,
			      uint64_t *ret_value, uint64_t *ret_start)
{
	const struct frec_address_range *range = index->ranges;
	size_t count = index->count;

	if (!count || range->start > address)
		return false;
	while (count > 1) {
		size_t half = count / 2;

		range = range[half].start <= address ? range + half : range;
		count -= half;
	}
	for (size_t i = 0; i < BACK_MAX; i++, range--) {
		if (address < range->end) {
			*ret_value = range->value;
			if (ret_start)
				*ret_start = range->start;
			return true;
		}
		if (range == index->ranges)
			break;
	}
	return false;
}

void frec__address_index_deinit(struct frec_address_index *index)
{
	free(index->ranges);
	*index = (struct frec_address_index){0};
}
