// SPDX-License-Identifier: MIT
// Copying shared rings, and telling records from what is none. The copy is private memory: what was
// judged stays as it was.
//
// The walk goes from the newest record to the oldest. At each place exactly one commit word is
// right (see shm.h), so after something that is no record the walk goes on at the next place that
// holds a right one, with a right checksum; what was passed over is damage. Towards the old end it
// is not: there the oldest record is cut, and writers were overwriting while the copy was made. The
// first gap that reaches into that part ends the walk.
//
// A position that somebody has overwritten would make every commit word wrong. Then the newest
// record that agrees with itself, its place with its commit word and its checksum with its bytes,
// takes its place.
#include "recorder/rings/shm_copy.h"

#include <string.h>

#include "recorder/rings/perf.h"
#include "recorder/service/shm_checksum.h"

_Static_assert(sizeof(struct frec_shm_record) - FREC_SHM_FRAME_SIZE == sizeof(struct frec_sample) &&
		       offsetof(struct frec_shm_record, id) - FREC_SHM_FRAME_SIZE ==
			       offsetof(struct frec_sample, id) &&
		       offsetof(struct frec_shm_record, raw) - FREC_SHM_FRAME_SIZE ==
			       offsetof(struct frec_sample, raw),
	       "a record is a sample behind its frame");

struct judge {
	const struct frec_shm_rings *rings;
	uint64_t
		// bytes of wrong checksums that may still be computed: what is hostile can make all
		// of them wrong
		budget;
};

static uint64_t position_of(const struct frec_shm_rings *rings, size_t ring)
{
	// Pairs with the stores that move it in shm_emit.c and shm_sequence_x86_64.c.
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
	// The loads of the copy come before the load that judges them: pairs with the fence in
	// write_shared of shm_emit.c.
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	copy->during = position_of(rings, ring) - copy->head;
	copy->valid = size;
}

// The size, with its frame, of the whole record at `at`, of which `room` bytes are there, or 0.
static size_t whole(struct judge *judge, const uint8_t *at, size_t room, uint64_t position)
{
	struct frec_shm_record record;
	uint64_t slot;
	size_t size;

	if (room < sizeof(record))
		return 0;
	memcpy(&record, at, sizeof(record));
	size = FREC_SHM_FRAME_SIZE + record.header.size;
	slot = record.id - FREC_SHM_ID_FIRST;
	if (record.commit != frec__shm_commit_word(position, judge->rings->key) || size > room ||
	    size > FREC_SHM_RECORD_MAX || size % 8 || size < sizeof(record) + 8 ||
	    record.header.type != PERF_RECORD_SAMPLE ||
	    record.header.misc != PERF_RECORD_MISC_USER ||
	    record.raw_size != size - sizeof(record) || slot >= FREC_SHM_EVENTS ||
	    judge->rings->known[slot] != FREC_SHM_KNOWN || size > judge->budget)
		return 0;
	if (frec__shm_checksum(at + FREC_SHM_FRAME_SIZE, size - FREC_SHM_FRAME_SIZE) ==
	    record.checksum)
		return size;
	judge->budget -= size;
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

// Moves the first `by` bytes behind the others, in units of 8 and without more memory.
static void rotate(uint8_t *data, size_t size, size_t by)
{
	reverse(data, 0, by);
	reverse(data, by, size);
	reverse(data, 0, size);
}

// Finds the position by the records, and turns the copy so that it begins there. False where there
// is no record.
static bool find_position(struct judge *judge, struct frec_ring_copy *copy)
{
	size_t size = judge->rings->ring_size, at = 0;
	uint32_t newest = 0;
	bool found = false;

	for (size_t i = 0; i + sizeof(struct frec_shm_record) <= size; i += 8) {
		size_t place = (size_t)(i - copy->head) & (size - 1);
		uint32_t commit, units;

		memcpy(&commit, copy->data + i, sizeof(commit));
		units = commit ^ judge->rings->key;
		if ((-(uint64_t)units << 3 & (size - 1)) != place ||
		    !whole(judge, copy->data + i, size - i, (uint64_t)units << 3))
			continue;
		// Units wrap around: a difference in their lower half is forward.
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

// Puts the whole records of the first `size` bytes one behind the other. Returns how far it came.
// What is no record and begins before `certain` is damage.
static size_t gather(struct judge *judge, struct frec_ring_copy *copy, size_t size, size_t certain,
		     struct frec_shm_damage *damage)
{
	size_t at = 0, gap = 0;

	copy->valid = 0;
	for (size_t i = 0; i < size;) {
		size_t length = whole(judge, copy->data + i, size - i, copy->head - i);

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
		length -= FREC_SHM_FRAME_SIZE;
		memmove(copy->data + copy->valid, copy->data + i + FREC_SHM_FRAME_SIZE, length);
		copy->valid += length;
		i += FREC_SHM_FRAME_SIZE + length;
		gap = at = i;
	}
	return at;
}

void frec__shm_copy_finish(const struct frec_shm_rings *rings, struct frec_ring_copy *copy,
			   struct frec_shm_damage *ret)
{
	struct judge judge = {.rings = rings, .budget = 4 * (uint64_t)rings->ring_size};
	size_t size = copy->valid, certain, end;
	uint64_t lost = copy->during + FREC_SHM_RECORD_MAX;
	bool full = copy->written + lost > rings->ring_size;

	*ret = (struct frec_shm_damage){0};
	certain = !full ? size : lost < rings->ring_size ? rings->ring_size - (size_t)lost : 0;
	end = gather(&judge, copy, size, certain, ret);
	// Not where writers went round the whole ring meanwhile: then it is right that nothing is
	// left.
	if (!copy->valid && size == rings->ring_size && certain > FREC_SHM_RECORD_MAX &&
	    find_position(&judge, copy)) {
		*ret = (struct frec_shm_damage){.regions = 1, .bytes = sizeof(uint64_t)};
		gather(&judge, copy, size, size, ret);
		copy->wrapped = true;
		return;
	}
	// The oldest record is cut when others were written over its end.
	if (full)
		certain = certain > FREC_SHM_RECORD_MAX ? certain - FREC_SHM_RECORD_MAX : 0;
	if (end < certain) {
		ret->regions++;
		ret->bytes += certain - end;
	}
	copy->wrapped = full && end < copy->written;
}
