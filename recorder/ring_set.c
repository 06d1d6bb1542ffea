// SPDX-License-Identifier: MIT
// Keeping the rings in step with the CPUs of the machine.
#include "recorder/ring_set.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <syslog.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "proto/grow.h"
#include "proto/limits.h"
#include "proto/read_file.h"
#include "proto/report.h"
#include "recorder/cpu_list.h"
#include "recorder/rings/perf_ring.h"
#include "recorder/rings/shm_ring.h"
#include "recorder/rings/shm_rings.h"

#define CPUS_ONLINE "/sys/devices/system/cpu/online"
#define CPUS_ONLINE_MAX 4096 // bytes
// Nanoseconds between two checks of whether the rings are alive. A check interrupts the ring's CPU.
#define ALIVE_INTERVAL UINT64_C(1000000000)
// A ring is dead if it has not been running since the check before, so it takes two checks to find
// one that ran after the last check of an earlier suspicion.
#define CHECKS 2

void frec__ring_set_init(struct frec_ring_set *set, uint64_t size)
{
	*set = (struct frec_ring_set){.size = size};
}

void frec__ring_set_deinit(struct frec_ring_set *set)
{
	frec__capture_deinit(&set->capture, set->size);
	for (size_t i = 0; i < set->count; i++)
		frec__ring_close(&set->ring[i]);
	free(set->ring);
	free(set->online);
	*set = (struct frec_ring_set){0};
}

int frec__ring_set_read_cpus(struct frec_ring_set *set, struct frec_error *reterr)
{
	free(set->online);
	set->online = frec__read_file_at(AT_FDCWD, CPUS_ONLINE, CPUS_ONLINE_MAX);
	return set->online ? 0
			   : frec__error(reterr, -errno, "%s: %s", CPUS_ONLINE, strerror(errno));
}

static int same_cpu(void *context, int cpu)
{
	return *(int *)context == cpu;
}

static bool is_listed(const char *list, int cpu)
{
	return frec__each_cpu(list, same_cpu, &cpu) > 0;
}

// Returns the index of the CPU's ring, or the number of rings if the CPU never had one.
static size_t index_of(const struct frec_ring_set *set, int cpu)
{
	size_t at = 0;

	while (at < set->count && (set->ring[at].shm || set->ring[at].cpu != cpu))
		at++;
	return at;
}

struct missing {
	const struct frec_ring_set *set;
	int cpu;
};

static int is_missing(void *context, int cpu)
{
	struct missing *missing = context;
	size_t at = index_of(missing->set, cpu);

	missing->cpu = cpu;
	return at == missing->set->count || missing->set->ring[at].offline;
}

static int open_cpu(struct frec_ring_set *set, struct frec_sideband *sideband, int cpu,
		    struct frec_ring *ret, struct frec_error *reterr)
{
	int r = frec__perf_ring_open(ret, cpu, set->size, reterr);

	if (r)
		return r;
	ret->since = frec__monotonic();
	r = frec__sideband_open(sideband, cpu, reterr);
	if (r)
		frec__ring_close(ret);
	return r;
}

int frec__ring_set_open_next(struct frec_ring_set *set, struct frec_sideband *sideband,
			     size_t *ret_at, struct frec_error *reterr)
{
	struct missing missing = {.set = set};
	struct frec_ring ring;
	size_t at;
	int r = frec__each_cpu(set->online, is_missing, &missing);

	if (r < 0)
		return frec__error(reterr, r, "%s: not a list of CPUs", CPUS_ONLINE);
	if (!r)
		return 0;
	at = index_of(set, missing.cpu);
	if (at == set->count && !frec__grow(&set->ring, set->count, sizeof(*set->ring)))
		return frec__error(reterr, -ENOMEM, "out of memory");
	r = open_cpu(set, sideband, missing.cpu, &ring, reterr);
	if (r)
		return r;
	if (at == set->count) {
		set->count++;
	} else {
		frec__report(LOG_NOTICE,
			     "CPU %d is back: its ring starts empty, its old records are gone",
			     missing.cpu);
		frec__ring_close(&set->ring[at]);
	}
	set->ring[at] = ring;
	*ret_at = at;
	return 1;
}

static void go_offline(struct frec_ring *ring, struct frec_sideband *sideband)
{
	ring->offline = true;
	frec__sideband_close(sideband, ring->cpu);
}

void frec__ring_set_suspect(struct frec_ring_set *set)
{
	set->checks = CHECKS;
}

static bool close_dead(struct frec_ring_set *set, struct frec_sideband *sideband)
{
	bool found = false;

	if (!set->checks || frec__monotonic() - set->alive_checked < ALIVE_INTERVAL)
		return false;
	set->checks--;
	set->alive_checked = frec__monotonic();
	for (size_t i = 0; i < set->count; i++) {
		struct frec_ring *ring = &set->ring[i];

		if (ring->shm || ring->offline || frec__perf_ring_alive(ring))
			continue;
		go_offline(ring, sideband);
		found = true;
	}
	return found;
}

bool frec__ring_set_refresh(struct frec_ring_set *set, struct frec_sideband *sideband)
{
	FREC_FREE char *online = frec__read_file_at(AT_FDCWD, CPUS_ONLINE, CPUS_ONLINE_MAX);
	bool dead = close_dead(set, sideband);

	if (!online || (!dead && !strcmp(online, set->online)))
		return false;
	for (size_t i = 0; i < set->count; i++) {
		struct frec_ring *ring = &set->ring[i];

		if (ring->shm || ring->offline || is_listed(online, ring->cpu))
			continue;
		go_offline(ring, sideband);
		frec__report(LOG_NOTICE, "CPU %d went offline: its ring stays as it is", ring->cpu);
	}
	free(set->online);
	set->online = FREC_TAKE_PTR(online);
	return true;
}

int frec__ring_set_add_memory(struct frec_ring_set *set, const struct frec_service_memory *memory,
			      uint64_t since, size_t sources, struct frec_error *reterr)
{
	size_t before = set->count, count = frec__shm_ring_count(memory->rings);
	int r = 0;

	for (size_t i = 0; i < count && !r; i++) {
		struct frec_ring ring;

		if (!frec__grow(&set->ring, set->count, sizeof(*set->ring))) {
			r = frec__error(reterr, -ENOMEM, "out of memory");
			break;
		}
		frec__shm_ring_init(&ring, memory->rings, i, set->size, memory->number);
		ring.since = since;
		ring.uid = memory->uid;
		ring.ours = memory->uid == geteuid();
		ring.space = memory->space;
		ring.spaces = memory->spaces;
		set->ring[set->count++] = ring;
	}
	if (!r)
		r = frec__ring_set_reserve(set, sources, reterr);
	if (r)
		set->count = before;
	return r;
}

size_t frec__ring_set_remove_memory(struct frec_ring_set *set, const struct frec_shm_rings *memory,
				    size_t *ret_first)
{
	size_t first = 0, count = frec__shm_ring_count(memory);

	// The rings of a memory were added together, so they are next to each other.
	while (first < set->count && set->ring[first].shm != memory)
		first++;
	*ret_first = first;
	if (first == set->count)
		return 0;
	set->count -= count;
	memmove(&set->ring[first], &set->ring[first + count],
		(set->count - first) * sizeof(*set->ring));
	frec__capture_shrink(&set->capture, set->count, set->size);
	return count;
}

int frec__ring_set_reserve(struct frec_ring_set *set, size_t sources, struct frec_error *reterr)
{
	int r = frec__capture_reserve(&set->capture, set->count, set->size, sources);

	if (!r)
		return 0;
	return frec__limit_error(reterr, r, set->count * set->size,
				 "no memory for copies of %zu rings of %" PRIu64
				 " KiB: use a smaller --ring-size",
				 set->count, set->size >> 10);
}

uint64_t frec__ring_set_written(const struct frec_ring_set *set, size_t *ret_busiest)
{
	uint64_t most = 0;
	size_t busiest = 0;

	for (size_t i = 0; i < set->count; i++) {
		uint64_t written = frec__ring_written(&set->ring[i]);

		if (written > most) {
			most = written;
			busiest = i;
		}
	}
	if (ret_busiest)
		*ret_busiest = busiest;
	return most;
}
