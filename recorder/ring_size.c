// SPDX-License-Identifier: MIT
// The default size of rings.
#include "recorder/ring_size.h"

#include <sys/resource.h>
#include <unistd.h>

#include "proto/limits.h"
#include "recorder/control_groups.h"
#include "recorder/rings/ring.h"
#include "recorder/service/shm.h"

struct frec_ring_bounds frec__ring_bounds(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct frec_ring_bounds bounds = {
		.memory = frec__control_groups_memory(FREC_CONTROL_GROUPS, "/proc/self/cgroup"),
		.file = frec__limit_of(RLIMIT_FSIZE),
		.cpus = cpus > 0 ? (uint64_t)cpus : 1};
	uint64_t space = frec__limit_of(RLIMIT_AS), data = frec__limit_of(RLIMIT_DATA);

	space = data < space ? data : space;
	bounds.memory = space < bounds.memory ? space : bounds.memory;
	return bounds;
}

uint64_t frec__ring_size_cost(uint64_t size, uint64_t cpus)
{
	return 2 * size * cpus;
}

uint64_t frec__ring_size_within(const struct frec_ring_bounds *bounds)
{
	uint64_t size = FREC_RING_SIZE_DEFAULT;

	// Services have one ring more than there are CPUs, for threads that cannot use the others.
	while (size > FREC_RING_SIZE_MIN &&
	       (frec__ring_size_cost(size, bounds->cpus) > bounds->memory / 8 ||
		frec__shm_layout(bounds->cpus + 1, size).size > bounds->file))
		size /= 2;
	return size;
}
