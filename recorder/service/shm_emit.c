// SPDX-License-Identifier: MIT
// Writing events into a recorder's shared memory, in the threads and signal handlers of a service.
// shm.h describes the layout.
//
// The record is built on the stack, with its checksum, and copied in one go. A thread that has
// restartable sequences copies it to the ring of its CPU, without an atomic instruction. The others
// copy it to the shared ring, where they reserve space first and store the commit word last.
#include "recorder/service/shm_sequence.h"

#include <linux/futex.h>
#include <string.h>

#include "recorder/service/emit.h"
#include "recorder/service/payload.h"
#include "recorder/service/shm_checksum.h"
#include "recorder/service/shm_clock.h"

struct frec__shm *frec__shm;

// Turns off an event whose recorder is dead. Another thread may be attaching to another recorder at
// this moment. shm_attach.c publishes the new memory first and turns events on afterwards: so
// either this function sees the new memory and turns the event on again, or the event is turned on
// after it was turned off here. The old memory is given back by its recorder, or by a later call
// that may make system calls (frec__shm_release()).
static __attribute__((noinline, cold)) void turn_off(const struct frec__shm *shm,
						     struct frec__event *event)
{
	const struct frec__shm *present;

	__atomic_fetch_and(&event->enabled, ~(FREC__SHM_MASK | FREC__SHM_STACK_MASK),
			   __ATOMIC_SEQ_CST);
	present = __atomic_load_n(&frec__shm, __ATOMIC_SEQ_CST);
	if (present != shm &&
	    __atomic_load_n(&event->shm_slot, __ATOMIC_SEQ_CST) >> 16 == present->generation)
		__atomic_fetch_or(&event->enabled, frec__shm_enabled(event), __ATOMIC_SEQ_CST);
}

static __attribute__((noinline)) void write_shared(const struct frec__shm *shm, uint32_t slot,
						   struct frec_shm_record *record, size_t size)
{
	struct frec_shm_control *control = frec__shm_control_of(shm, shm->cpus);
	uint64_t position;
	uint32_t checksum;
	char *to;

	record->time = frec__shm_read_clock(shm, shm->cpus);
	record->cpu = frec__shm_cpu() | shm->space;
	checksum = frec__shm_checksum((char *)record + FREC_SHM_FRAME_SIZE,
				      size - FREC_SHM_FRAME_SIZE);
	position = __atomic_add_fetch(&control->position, size, __ATOMIC_RELAXED);
	// A reader that sees any of these bytes must see the new position as well. Pairs with the
	// fence in frec__shm_copy().
	__atomic_thread_fence(__ATOMIC_RELEASE);
	to = frec__shm_ring_of(shm, shm->cpus) + frec__shm_place(shm, position);
	memcpy(to + FREC_SHM_FRAME_SIZE, (char *)record + FREC_SHM_FRAME_SIZE,
	       size - FREC_SHM_FRAME_SIZE);
	__atomic_store_n((uint64_t *)(void *)to,
			 frec__shm_frame(frec__shm_commit_word(position, shm->key), checksum),
			 __ATOMIC_RELEASE);
	// Pairs with the acquire load in frec__shm_emitted().
	__atomic_fetch_add(&control->emitted[slot], 1, __ATOMIC_RELEASE);
}

static inline __attribute__((always_inline)) void write_record(
	const struct frec__shm *shm, uint32_t slot, const struct frec__shm_moment *moment,
	struct frec_shm_record *record, size_t size)
{
	if (shm->sequences && frec__shm_write_own(shm, slot, moment, record, size))
		return;
	if (shm->sequences)
		frec__shm_end();
	write_shared(shm, slot, record, size);
}

// Returns the memory that an event is written to, and sets *ret_slot to the event's slot there; or
// returns NULL if there is no memory to write to, and turns the event off if its recorder is dead.
// If the slot is of another generation, another thread is just turning the event off, or replacing
// one recorder by another.
static inline const struct frec__shm *attached(struct frec__event *event, uint32_t *ret_slot)
{
	const struct frec__shm *shm = __atomic_load_n(&frec__shm, __ATOMIC_ACQUIRE);
	uint32_t slot = __atomic_load_n(&event->shm_slot, __ATOMIC_RELAXED);

	if (!shm || slot >> 16 != shm->generation)
		return NULL;
	if (__builtin_expect(
		    __atomic_load_n(&shm->header->owner, __ATOMIC_RELAXED) & FUTEX_OWNER_DIED, 0)) {
		turn_off(shm, event);
		return NULL;
	}
	*ret_slot = slot & 0xffff;
	return shm;
}

// Begins an emit. Returns what attached() returns.
static inline const struct frec__shm *begin(struct frec__event *event, uint32_t *ret_slot,
					    struct frec__shm_moment *ret_moment)
{
	const struct frec__shm *shm = attached(event, ret_slot);

	if (!shm)
		return NULL;
	if (shm->sequences)
		frec__shm_begin(shm, ret_moment);
	return shm;
}

// Finds out who emits. In a child that was made by clone(2) or _Fork(3) this also measures the
// clock, so the time is taken again.
static __attribute__((noinline, cold)) void identify(const struct frec__shm *shm,
						     struct frec__shm_moment *moment)
{
	frec__shm_identify();
	if (shm->sequences)
		frec__shm_begin(shm, moment);
}

// Stores two neighbouring fields at once: the lower half of the word becomes the first field.
static inline void store_word(void *at, uint64_t word)
{
	memcpy(at, &word, sizeof(word));
}

// Completes and writes a record. `record` is followed by `chain` bytes of call stack, where the
// size of the payload would be, by that size, by the payload's `size` bytes, and by
// FREC__SHM_ROOM_AFTER bytes of room for padding.
static inline __attribute__((always_inline)) void finish(const struct frec__shm *shm, uint32_t slot,
							 struct frec__shm_moment *moment,
							 struct frec_shm_record *record,
							 size_t chain, size_t size)
{
	size_t total = (sizeof(*record) + chain + size + 7) & ~(size_t)7;
	char *raw = (char *)record->raw + chain;
	union {
		struct perf_event_header fields;
		uint64_t word;
	} header;

	if (__builtin_expect(frec__shm_self.pid !=
					     __atomic_load_n(frec__shm_process, __ATOMIC_RELAXED) ||
				     !frec__shm_self.pid,
			     0))
		identify(shm, moment);
	// Pad the payload with zeroes.
	memset(raw + size, 0, FREC__SHM_ROOM_AFTER);
	// Store words of 8 bytes, as the checksum reads them. A load of 8 bytes that were stored in
	// smaller pieces stalls the processor.
	header.fields = (struct perf_event_header){
		PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER | (chain ? FREC_SHM_MISC_CHAIN : 0),
		(uint16_t)(total - FREC_SHM_FRAME_SIZE)};
	store_word(&record->header, header.word);
	record->id = FREC_SHM_ID(slot);
	store_word(&record->pid, frec__shm_self.pid | (uint64_t)frec__shm_self.tid << 32);
	store_word(raw - sizeof(record->raw_size),
		   total - sizeof(*record) - chain); // upper half: common header, zeroes
	if (__builtin_expect(shm->guard < 0, 1)) {
		write_record(shm, slot, moment, record, total);
	} else {
		uint32_t before = frec__shm_guard_open(shm->guard);

		write_record(shm, slot, moment, record, total);
		frec__shm_guard_close(before);
	}
}

bool frec__shm_listens(struct frec__event *event)
{
	uint32_t slot;

	return attached(event, &slot);
}

void frec__shm_emit_flat(struct frec__event *event, void *flat, size_t size)
{
	struct frec__shm_moment moment;
	uint32_t slot;
	const struct frec__shm *shm = begin(event, &slot, &moment);

	if (shm)
		finish(shm, slot, &moment, (void *)((char *)flat - sizeof(struct frec_shm_record)),
		       0, size);
}

void frec__shm_emit_chain(struct frec__event *event, const struct frec_shm_chain *chain, void *flat,
			  size_t size)
{
	struct frec__shm_moment moment;
	uint32_t slot;
	const struct frec__shm *shm = begin(event, &slot, &moment);
	size_t chain_size = frec__shm_chain_size(chain);
	struct frec_shm_record *record =
		(void *)((char *)flat - sizeof(struct frec_shm_record) - chain_size);

	if (!shm)
		return;
	memcpy(&record->raw_size, chain, chain_size);
	finish(shm, slot, &moment, record, chain_size, size);
}

// Copies small pieces inline, because a call takes longer.
static inline char *copy(char *to, const char *from, size_t size)
{
	uint64_t word;

	if (size > 64 || size < sizeof(word))
		return size ? mempcpy(to, from, size) : to; // `from` may be NULL
	for (size_t at = 0; at + sizeof(word) < size; at += sizeof(word)) {
		memcpy(&word, from + at, sizeof(word));
		memcpy(to + at, &word, sizeof(word));
	}
	memcpy(&word, from + size - sizeof(word), sizeof(word));
	memcpy(to + size - sizeof(word), &word, sizeof(word));
	return to + size;
}

int frec__shm_emit(struct frec__event *event, const struct iovec *vector, const uint16_t *places,
		   size_t size)
{
	struct frec__shm_moment moment;
	const struct frec__shm *shm;
	uint32_t slot;

	shm = begin(event, &slot, &moment);
	if (!shm)
		return 0;

	uint64_t room[(sizeof(struct frec_shm_record) + FREC__COMMON_SIZE + size +
		       FREC__SHM_ROOM_AFTER + 7) /
		      8];
	struct frec_shm_record *record = (void *)room;
	char *next = (char *)record->raw + FREC__COMMON_SIZE;

	memset(record->raw, 0, FREC__COMMON_SIZE);
	next = copy(next, (char *)vector[0].iov_base + sizeof(uint32_t),
		    vector[0].iov_len - sizeof(uint32_t));
	for (const struct iovec *piece = vector + 1; *places; places++, piece++) {
		next = copy(next, piece->iov_base, piece->iov_len);
		if (frec__is_text(*places)) {
			*next++ = 0;
			piece++; // its NUL
			continue;
		}
		if (!frec__is_bytes(*places))
			next[-1] = 0; // the string may have grown since it was measured
	}
	finish(shm, slot, &moment, record, 0, FREC__COMMON_SIZE + size);
	return 0;
}
