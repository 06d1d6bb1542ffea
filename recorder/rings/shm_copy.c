// SPDX-License-Identifier: MIT
// Copies shared rings and finds the whole records in a copy. The copy is private memory, so it
// cannot change after it was checked.
//
// The scan goes from the newest record to the oldest. Each place in a ring has exactly one valid
// commit word (see shm.h). After bytes that are no record, the scan therefore continues at the next
// place with a valid commit word and a valid checksum, and the bytes in between count as damage.
// The old end of the copy is an exception: the oldest record there is cut, and writers were
// overwriting records while the copy was made. The first gap that reaches into that part ends the
// scan and is no damage.
//
// If a stray write has changed the position, no commit word is valid. The scan then starts at the
// newest record that is consistent in itself: its commit word fits its place, and its checksum fits
// its bytes.
#include "recorder/rings/shm_copy.h"

#include <string.h>

#include "recorder/rings/perf.h"
#include "recorder/rings/shm_rings_internal.h"
#include "recorder/service/shm_checksum.h"

_Static_assert(sizeof(struct frec_shm_record) - FREC_SHM_FRAME_SIZE == sizeof(struct frec_sample) &&
		       offsetof(struct frec_shm_record, id) - FREC_SHM_FRAME_SIZE ==
			       offsetof(struct frec_sample, id) &&
		       offsetof(struct frec_shm_record, raw) - FREC_SHM_FRAME_SIZE ==
			       offsetof(struct frec_sample, raw),
	       "a record is a frame and then a sample");

#define CHAIN_AT offsetof(struct frec_shm_record, raw_size)

struct scan {
	const struct frec_shm_rings *rings;
	// How many more bytes may go into the computation of checksums that turn out to be wrong.
	// There is a limit because a hostile service can make all checksums wrong.
	uint64_t budget;
};

static uint64_t position_of(const struct frec_shm_rings *rings, size_t ring)
{
	// Pairs with the stores to `position` in shm_emit.c and shm_sequence_x86_64.c.
	return __atomic_load_n(&frec__shm_control(rings, ring)->position, __ATOMIC_ACQUIRE) &
	       ~UINT64_C(7);
}

uint64_t frec__shm_written(const struct frec_shm_rings *rings, size_t ring)
{
	return position_of(rings, ring) - FREC_SHM_POSITION_FIRST;
}

void frec__shm_copy(const struct frec_shm_rings *rings, size_t ring, struct frec_ring_copy *copy)
{
	const uint8_t *data =
		(const uint8_t *)rings->map + rings->layout.rings + ring * rings->ring_size;
	size_t start, first, size;

	copy->head = position_of(rings, ring);
	copy->written = copy->head - FREC_SHM_POSITION_FIRST;
	size = copy->written < rings->ring_size ? (size_t)copy->written : rings->ring_size;
	start = -copy->head & (rings->ring_size - 1);
	first = size < rings->ring_size - start ? size : rings->ring_size - start;
	memcpy(copy->data, data + start, first);
	memcpy(copy->data + first, data, size - first);
	// Orders the loads of the copy before the next load of the position, which shows what was
	// overwritten in the meantime. Pairs with the fence in write_shared of shm_emit.c.
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	copy->during = position_of(rings, ring) - copy->head;
	copy->valid = size;
}

// Returns the size of the call stack in a record of `size` bytes, 0 if it has none, or `size` if
// there cannot be such a stack. The process wrote it, so it has no addresses of the kernel.
static size_t chain_size(const uint8_t *at, uint16_t misc, size_t size)
{
	struct frec_shm_chain chain;
	size_t chain_size;

	if (!(misc & FREC_SHM_MISC_CHAIN))
		return 0;
	memcpy(&chain.count, at + CHAIN_AT, sizeof(chain.count));
	if (chain.count > sizeof(chain.word) / sizeof(*chain.word))
		return size;
	chain_size = sizeof(chain.count) + chain.count * sizeof(*chain.word);
	if (sizeof(struct frec_shm_record) + chain_size > size)
		return size;
	memcpy(&chain, at + CHAIN_AT, chain_size);
	if (chain.count && chain.word[0] != (uint64_t)PERF_CONTEXT_USER)
		return size;
	for (size_t i = 1; i < chain.count; i++)
		if (chain.word[i] >> 63)
			return size;
	return chain_size;
}

// Returns the size of the record at `at`, frame included, or 0 if there is no complete record of a
// known event. `room` is the number of bytes from `at` on. `position` is the position of the ring
// after the record was reserved.
static size_t record_size(struct scan *scan, const uint8_t *at, size_t room, uint64_t position)
{
	struct frec_shm_record record;
	uint32_t raw_size;
	uint64_t slot;
	size_t size, chain;

	if (room < sizeof(record))
		return 0;
	memcpy(&record, at, sizeof(record));
	size = FREC_SHM_FRAME_SIZE + record.header.size;
	slot = record.id - FREC_SHM_ID_FIRST;
	if (record.commit != frec__shm_commit_word(position, scan->rings->key) || size > room ||
	    size > FREC_SHM_RECORD_MAX || size % 8 || size < sizeof(record) + 8 ||
	    record.header.type != PERF_RECORD_SAMPLE ||
	    (record.header.misc & ~FREC_SHM_MISC_CHAIN) != PERF_RECORD_MISC_USER ||
	    slot >= FREC_SHM_EVENTS || scan->rings->known[slot] != FREC_SHM_KNOWN ||
	    size > scan->budget)
		return 0;
	chain = chain_size(at, record.header.misc, size);
	if (chain > size - sizeof(record) - 8)
		return 0;
	memcpy(&raw_size, at + CHAIN_AT + chain, sizeof(raw_size));
	if (raw_size != size - sizeof(record) - chain)
		return 0;
	if (frec__shm_checksum(at + FREC_SHM_FRAME_SIZE, size - FREC_SHM_FRAME_SIZE) ==
	    record.checksum)
		return size;
	scan->budget -= size;
	return 0;
}

static void reverse(uint8_t *data, size_t from, size_t to)
{
	uint64_t a, b;

	for (; from + 8 < to; from += 8) {
		to -= 8;
		memcpy(&a, data + from, sizeof(a));
		memcpy(&b, data + to, sizeof(b));
		memcpy(data + from, &b, sizeof(b));
		memcpy(data + to, &a, sizeof(a));
	}
}

// Moves the first `by` bytes behind the others, in place and in units of 8.
static void rotate(uint8_t *data, size_t size, size_t by)
{
	reverse(data, 0, by);
	reverse(data, by, size);
	reverse(data, 0, size);
}

// Finds the newest record without knowing the position, and rotates the copy so that it begins with
// that record. Returns false if there is no whole record.
static bool find_position(struct scan *scan, struct frec_ring_copy *copy)
{
	size_t size = scan->rings->ring_size, at = 0;
	uint32_t newest = 0;
	bool found = false;

	for (size_t i = 0; i + sizeof(struct frec_shm_record) <= size; i += 8) {
		size_t place = (size_t)(i - copy->head) & (size - 1);
		uint32_t commit, units;

		memcpy(&commit, copy->data + i, sizeof(commit));
		units = commit ^ scan->rings->key;
		if ((-(uint64_t)units << 3 & (size - 1)) != place ||
		    !record_size(scan, copy->data + i, size - i, (uint64_t)units << 3))
			continue;
		// `units` wraps around, so this record is newer if the difference is below half of
		// the range.
		if (!found || units - newest < UINT32_C(1) << 31) {
			newest = units;
			at = i;
		}
		found = true;
	}
	if (!found)
		return false;
	rotate(copy->data, size, at);
	copy->head = (uint64_t)newest << 3;
	return true;
}

// Moves the record of `size` bytes at `from` to `to`, without its frame, and makes it look like all
// records of its event: with a call stack, which may be empty, or without. `to` is not after
// `from`, and a record that gets an empty stack has room for it because it loses its frame. Returns
// the new size.
static size_t move(const struct scan *scan, uint8_t *to, const uint8_t *from, size_t size)
{
	const size_t head = CHAIN_AT - FREC_SHM_FRAME_SIZE;
	struct frec_shm_record record;
	struct frec_sample *sample = (void *)to;
	size_t chain, keep, tail;

	memcpy(&record, from, sizeof(record));
	chain = chain_size(from, record.header.misc, size);
	tail = size - CHAIN_AT - chain;
	keep = scan->rings->chains[record.id - FREC_SHM_ID_FIRST] ? chain ? chain : sizeof(uint64_t)
								  : 0;
	memmove(to, from + FREC_SHM_FRAME_SIZE, head);
	if (keep && chain)
		memmove(to + head, from + CHAIN_AT, chain);
	else
		memset(to + head, 0, keep);
	memmove(to + head + keep, from + CHAIN_AT + chain, tail);
	sample->header.misc = PERF_RECORD_MISC_USER;
	sample->header.size = (uint16_t)(head + keep + tail);
	return head + keep + tail;
}

// Moves the whole records in the first `size` bytes to the start of the copy, without frames and
// gaps. Returns where the last of them ended before the move. Gaps that end at or before `certain`
// count as damage; a gap that reaches further ends the scan.
static size_t compact(struct scan *scan, struct frec_ring_copy *copy, size_t size, size_t certain,
		      struct frec_shm_damage *damage)
{
	size_t at = 0, gap = 0;

	copy->valid = 0;
	for (size_t i = 0; i < size;) {
		size_t length = record_size(scan, copy->data + i, size - i, copy->head - i);

		if (!length) {
			i += 8;
			continue;
		}
		if (gap < i) {
			if (i > certain)
				break;
			damage->regions++;
			damage->bytes += i - gap;
		}
		copy->valid += move(scan, copy->data + copy->valid, copy->data + i, length);
		i += length;
		gap = at = i;
	}
	return at;
}

void frec__shm_copy_finish(const struct frec_shm_rings *rings, struct frec_ring_copy *copy,
			   struct frec_shm_damage *ret)
{
	struct scan scan = {.rings = rings, .budget = 4 * (uint64_t)rings->ring_size};
	size_t size = copy->valid, certain, end;
	uint64_t lost = copy->during + FREC_SHM_RECORD_MAX;
	bool full = copy->written + lost > rings->ring_size;

	*ret = (struct frec_shm_damage){0};
	certain = !full ? size : lost < rings->ring_size ? rings->ring_size - (size_t)lost : 0;
	end = compact(&scan, copy, size, certain, ret);
	// If the copy of a full ring has no valid record although writers cannot have overwritten
	// all of it during the copy (`certain` is large), the position is wrong.
	if (!copy->valid && size == rings->ring_size && certain > FREC_SHM_RECORD_MAX &&
	    find_position(&scan, copy)) {
		*ret = (struct frec_shm_damage){.regions = 1, .bytes = sizeof(uint64_t)};
		compact(&scan, copy, size, size, ret);
		copy->wrapped = true;
		return;
	}
	// In a full ring the oldest record is partly overwritten. That is no damage.
	if (full)
		certain = certain > FREC_SHM_RECORD_MAX ? certain - FREC_SHM_RECORD_MAX : 0;
	if (end < certain) {
		ret->regions++;
		ret->bytes += certain - end;
	}
	copy->wrapped = full && end < copy->written;
}
