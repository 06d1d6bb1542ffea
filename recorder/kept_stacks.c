// SPDX-License-Identifier: MIT
// Keeping the stacks of dying processes until their snapshot is written.
#include "recorder/kept_stacks.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "proto/clocks.h"
#include "recorder/core/stacks.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

// Returns the entry for a process: the one that it has, a free one, or the oldest, whose process
// has presumably ended without a snapshot.
static struct frec_kept *entry_for(struct frec_kept_stacks *kept, uint64_t life)
{
	struct frec_kept *oldest = &kept->kept[0];

	for (size_t i = 0; i < FREC_KEPT_STACKS_MAX; i++) {
		struct frec_kept *entry = &kept->kept[i];

		if (entry->life == life)
			return entry;
		if (entry->since < oldest->since)
			oldest = entry;
	}
	return oldest;
}

static int parse(struct frec_thread_stacks *ret, uint32_t pid, int fd, struct frec_error *reterr)
{
	int seals = fcntl(fd, F_GET_SEALS), r;
	struct stat status;
	uint8_t *data;

	// Without the seals the file could be truncated while it is read.
	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &status) ||
	    status.st_size > (off_t)FREC_CORE_STACKS_SIZE_MAX)
		return frec__error(reterr, -EINVAL,
				   "stacks of process %u: not in a sealed memory file", pid);
	if (!status.st_size) {
		*ret = (struct frec_thread_stacks){.count = 0};
		return 0;
	}
	data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return frec__error(reterr, -errno, "stacks of process %u: %s", pid,
				   strerror(errno));
	r = frec__thread_stacks_parse(ret, data, (size_t)status.st_size, pid, reterr);
	munmap(data, (size_t)status.st_size);
	return r;
}

int frec__kept_stacks_read(struct frec_kept_stacks *kept, const struct frec_process *process,
			   int fd, uint32_t missing, struct frec_error *reterr)
{
	struct frec_thread_stacks stacks;
	struct frec_kept *entry;
	int r = parse(&stacks, process->pid, fd, reterr);

	if (r)
		return r;
	stacks.missing = missing;
	entry = entry_for(kept, process->life);
	frec__thread_stacks_deinit(&entry->stacks);
	*entry = (struct frec_kept){
		.life = process->life, .since = frec__monotonic(), .stacks = stacks};
	return 0;
}

struct frec_thread_stacks frec__kept_stacks_take(struct frec_kept_stacks *kept, uint64_t life)
{
	struct frec_thread_stacks stacks = {.count = 0};

	for (size_t i = 0; i < FREC_KEPT_STACKS_MAX; i++) {
		if (!life || kept->kept[i].life != life)
			continue;
		stacks = kept->kept[i].stacks;
		kept->kept[i] = (struct frec_kept){.life = 0};
	}
	return stacks;
}

void frec__kept_stacks_deinit(struct frec_kept_stacks *kept)
{
	for (size_t i = 0; i < FREC_KEPT_STACKS_MAX; i++)
		frec__thread_stacks_deinit(&kept->kept[i].stacks);
	*kept = (struct frec_kept_stacks){0};
}
