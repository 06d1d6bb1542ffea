/* SPDX-License-Identifier: MIT */
/*
 * Writing events into a recorder's shared memory: all that runs in a service's threads and signal handlers. shm.h says
 * what stands where.
 *
 * The record is built in the caller's memory, with its checksum, and copied in one go. A thread that has restartable sequences
 * does that in the ring of its CPU, without an atomic instruction; the others in the shared ring, where a place is taken
 * first and the commit word stored last.
 */
#include "recorder/shm_emit.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* A debugger that steps through aborts every attempt. */
#define ATTEMPTS 64

struct frec__shm *frec__shm;
uint32_t *frec__shm_process;

/* Whose thread this is: of `pid`, which is not this process when the thread has forked since. */
static __thread struct {
	uint32_t pid, tid;
} self __attribute__((tls_model("initial-exec")));

/* The kernel wipes `*frec__shm_process` in a forked child, whatever way it was forked. */
static __attribute__((noinline, cold)) void identify(void)
{
	uint32_t pid = (uint32_t)getpid();

	self.tid = (uint32_t)gettid();
	self.pid = pid;
	__atomic_store_n(frec__shm_process, pid, __ATOMIC_RELAXED);
}

/*
 * The pages of shared memory live as long as anybody maps them, so whoever notices first empties them. Then another
 * recorder may just have been attached: shm_attach.c publishes it first and turns its events on afterwards, so either it
 * is seen here, or the event is turned on after it was turned off.
 */
static __attribute__((noinline, cold)) void turn_off(struct frec__shm *shm, struct frec__event *event)
{
	struct frec__shm *present;
	int saved_errno = errno;

	__atomic_fetch_and(&event->enabled, ~FREC__SHM_MASK, __ATOMIC_SEQ_CST);
	present = __atomic_load_n(&frec__shm, __ATOMIC_SEQ_CST);
	if (present != shm &&
	    __atomic_load_n(&event->shm_slot, __ATOMIC_SEQ_CST) >> 16 == present->generation)
		__atomic_fetch_or(&event->enabled, FREC__SHM_MASK, __ATOMIC_SEQ_CST);
	if (!__atomic_exchange_n(&shm->given_back, true, __ATOMIC_RELAXED)) {
		for (size_t i = 0; i <= shm->cpus; i++)
			madvise(shm->rings + 2 * i * shm->ring_size, shm->ring_size, MADV_REMOVE);
		madvise(shm->controls, (shm->cpus + 1) * shm->control_size, MADV_REMOVE);
	}
	errno = saved_errno;
}

static struct frec_shm_control *control_of(const struct frec__shm *shm, size_t ring)
{
	return (void *)(shm->controls + ring * shm->control_size);
}

/* The time is taken, and the CPU known, right before what depends on them. */
static inline void complete(struct frec_shm_record *record, size_t size, uint32_t cpu)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	record->time = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	record->cpu = cpu;
	record->checksum =
		frec__shm_checksum((char *)record + FREC_SHM_FRAME_SIZE, size - FREC_SHM_FRAME_SIZE);
}

static void write_shared(const struct frec__shm *shm, uint32_t slot, struct frec_shm_record *record,
			 size_t size)
{
	struct frec_shm_control *control = control_of(shm, shm->cpus);
	uint64_t position, frame;
	char *to;

	complete(record, size, (uint32_t)sched_getcpu());
	position = __atomic_add_fetch(&control->position, size, __ATOMIC_RELAXED);
	/* A reader that finds any of these bytes then finds the position moved: pairs with the fence in frec__shm_copy. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	to = shm->rings + 2 * shm->cpus * shm->ring_size + (-position & (shm->ring_size - 8));
	memcpy(to + FREC_SHM_FRAME_SIZE, (char *)record + FREC_SHM_FRAME_SIZE, size - FREC_SHM_FRAME_SIZE);
	record->commit = frec__shm_commit_word(position, shm->key);
	memcpy(&frame, record, sizeof(frame));
	__atomic_store_n((uint64_t *)(void *)to, frame, __ATOMIC_RELEASE);
	/* Pairs with the acquire load in frec__shm_emitted. */
	__atomic_fetch_add(&control->emitted[slot], 1, __ATOMIC_RELEASE);
}

static void write_record(const struct frec__shm *shm, uint32_t slot, struct frec_shm_record *record,
			 size_t size)
{
	struct frec__rseq *area = shm->sequences ? frec__shm_area() : NULL;

	for (int i = 0; area && i < ATTEMPTS; i++) {
		uint32_t cpu = frec__shm_begin(area);
		struct frec_shm_control *control = control_of(shm, cpu);
		enum frec__shm_commit result;

		if (cpu >= shm->cpus) {
			frec__shm_end(area);
			break;
		}
		complete(record, size, cpu);
		result = frec__shm_commit(area, &(struct frec__shm_write){
							.position = &control->position,
							.ring = shm->rings + 2 * cpu * shm->ring_size,
							.mask = shm->ring_size - 8,
							.record = record,
							.size = size,
							.emitted = &control->emitted[slot],
							.key = shm->key,
							.cpu = cpu,
						});
		if (result == FREC__SHM_COMMITTED)
			__atomic_fetch_add(&control->moved[slot], 1, __ATOMIC_RELEASE);
		if (result != FREC__SHM_ABORTED)
			return;
	}
	write_shared(shm, slot, record, size);
}

void frec__shm_emit(struct frec__event *event, void *flat, size_t size)
{
	struct frec__shm *shm = __atomic_load_n(&frec__shm, __ATOMIC_ACQUIRE);
	struct frec_shm_record *record = (void *)((char *)flat - sizeof(*record));
	uint32_t slot = __atomic_load_n(&event->shm_slot, __ATOMIC_RELAXED), before;
	size_t total = (sizeof(*record) + size + 7) & ~(size_t)7;

	/* A slot of another recorder's table: one of them is being replaced. */
	if (!shm || slot >> 16 != shm->generation)
		return;
	if (__atomic_load_n(shm->owner, __ATOMIC_RELAXED) & FUTEX_OWNER_DIED) {
		turn_off(shm, event);
		return;
	}
	slot &= 0xffff;
	if (self.pid != __atomic_load_n(frec__shm_process, __ATOMIC_RELAXED) || !self.pid)
		identify();
	*record = (struct frec_shm_record){
		.header = {.type = PERF_RECORD_SAMPLE,
			   .misc = PERF_RECORD_MISC_USER,
			   .size = (uint16_t)(total - FREC_SHM_FRAME_SIZE)},
		.id = FREC_SHM_ID(slot),
		.pid = self.pid,
		.tid = self.tid,
		.raw_size = (uint32_t)(total - sizeof(*record)),
	};
	memset((char *)flat + size, 0, total - sizeof(*record) - size);
	before = frec__shm_guard_open(shm->guard);
	write_record(shm, slot, record, total);
	frec__shm_guard_close(shm->guard, before);
}
