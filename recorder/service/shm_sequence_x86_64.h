/* SPDX-License-Identifier: MIT */
/*
 * Writing a record as a restartable sequence (rseq(2)), on x86_64. The instructions of the sequence
 * itself are in shm_sequence_x86_64.c, which explains them. The rest is inlined into shm_emit.c,
 * because calls are a large part of the cost of an emit.
 */
#ifndef FREC_RECORDER_SERVICE_SHM_SEQUENCE_X86_64_H
#define FREC_RECORDER_SERVICE_SHM_SEQUENCE_X86_64_H

#include <sched.h>

#include "recorder/service/shm_checksum.h"
#include "recorder/service/shm_clock.h"
#include "recorder/service/shm_emit.h"

/* Attempts are limited because a debugger that steps through the code aborts each of them. */
#define FREC__SHM_ATTEMPTS 64

/* The argument of frec__shm_commit(). */
struct frec__shm_write {
	uint64_t *position;
	char *ring;
	uint64_t mask;
	const struct frec_shm_record *record;
	uint64_t size; /* of the record */
	uint64_t *emitted;
	uint64_t frame; /* checksum of the record, and 0 in place of its commit word */
	uint32_t key, cpu;
};

/* FREC__SHM_COUNTED: the record was written and counted. FREC__SHM_COMMITTED: it was written but
 * not counted. FREC__SHM_ABORTED: nothing was written. */
enum frec__shm_result { FREC__SHM_COUNTED, FREC__SHM_COMMITTED, FREC__SHM_ABORTED };

extern const char frec__shm_section[] __attribute__((visibility("hidden")));
enum frec__shm_result frec__shm_commit(struct frec__shm_area *area,
				       const struct frec__shm_write *write);

/* Returns whether threads of this process can use sequences. */
static inline bool frec__shm_has_sequences(void)
{
	return frec__shm_has_crc() && &__rseq_offset && &__rseq_size && __rseq_size;
}

static inline struct frec__shm_area *frec__shm_area(void)
{
	uintptr_t thread;

	__asm__("movq %%fs:0, %0" : "=r"(thread));
	return (struct frec__shm_area *)(thread + (uintptr_t)__rseq_offset);
}

/* The CPU that this thread runs on. Makes no system call: glibc and the vDSO both read it from the
 * processor or from memory. */
static inline uint32_t frec__shm_cpu(void)
{
	return (uint32_t)sched_getcpu();
}

/*
 * Begins a sequence and reads the clock. It is called as early as possible, because the processor
 * can execute other instructions while it reads the clock. If the thread is interrupted before
 * frec__shm_write_own() commits the record, that function begins the sequence again.
 */
static inline void frec__shm_begin(const struct frec__shm *shm, struct frec__shm_moment *ret)
{
	struct frec__shm_area *area = frec__shm_area();

	__atomic_store_n(&area->section, frec__shm_section, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	ret->cpu = __atomic_load_n(&area->cpu_id, __ATOMIC_RELAXED);
	ret->time = frec__shm_now(shm, ret->cpu);
}

/* Ends a sequence without writing anything. */
static inline void frec__shm_end(void)
{
	__atomic_store_n(&frec__shm_area()->section, NULL, __ATOMIC_RELAXED);
}

/*
 * Completes a record and writes it to the ring of the CPU that this thread runs on. Returns true,
 * or false if the thread is not registered, the CPU has no ring, or every attempt was interrupted.
 */
static inline bool frec__shm_write_own(const struct frec__shm *shm, uint32_t slot,
				       const struct frec__shm_moment *moment,
				       struct frec_shm_record *record, size_t size)
{
	struct frec__shm_moment again;

	for (int i = 0; i < FREC__SHM_ATTEMPTS; i++) {
		struct frec_shm_control *control;
		enum frec__shm_result result;
		uint32_t checksum;

		if (moment->cpu >= shm->cpus)
			return false;
		record->time = moment->time;
		record->cpu = moment->cpu | shm->space;
		checksum = frec__shm_checksum_fast((char *)record + FREC_SHM_FRAME_SIZE,
						   size - FREC_SHM_FRAME_SIZE);
		control = frec__shm_control_of(shm, moment->cpu);
		result = frec__shm_commit(frec__shm_area(),
					  &(struct frec__shm_write){
						  .position = &control->position,
						  .ring = frec__shm_ring_of(shm, moment->cpu),
						  .mask = shm->ring_size - 8,
						  .record = record,
						  .size = size,
						  .emitted = &control->emitted[slot],
						  .frame = frec__shm_frame(0, checksum),
						  .key = shm->key,
						  .cpu = moment->cpu,
					  });
		if (result == FREC__SHM_COMMITTED)
			__atomic_fetch_add(&control->moved[slot], 1, __ATOMIC_RELEASE);
		if (result != FREC__SHM_ABORTED)
			return true;
		frec__shm_begin(shm, &again);
		moment = &again;
	}
	return false;
}

#endif
