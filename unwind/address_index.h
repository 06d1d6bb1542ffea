/* SPDX-License-Identifier: MIT */
/* Finds the range that an address is in: ranges are added, sorted once, then searched. */
#ifndef FREC_UNWIND_ADDRESS_INDEX_H
#define FREC_UNWIND_ADDRESS_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frec_address_range {
	uint64_t start, end, value;
};

struct frec_address_index {
	struct frec_address_range *ranges;
	size_t count;
};

/* Empty ranges are ignored. Returns false if memory runs out. */
bool frec__address_index_add(struct frec_address_index *index, uint64_t start, uint64_t end,
			     uint64_t value);
/* Call this after the last range is added. */
void frec__address_index_sort(struct frec_address_index *index);
/* Finds the range that contains `address`; if several do, the one that begins last. Returns false
 * if there is none. `ret_start` may be NULL. */
bool frec__address_index_find(const struct frec_address_index *index, uint64_t address,
			      uint64_t *ret_value, uint64_t *ret_start);
void frec__address_index_deinit(struct frec_address_index *index);

#endif
