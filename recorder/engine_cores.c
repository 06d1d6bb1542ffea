// SPDX-License-Identifier: MIT
// Keeping the stacks of dying processes until their snapshot is written.
#include "recorder/engine_cores.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <syslog.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "proto/read_file.h"
#include "proto/report.h"
#include "recorder/core/pattern.h"
#include "recorder/core/stacks.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static bool is_awaited(struct frec_engine *engine, uint32_t pid)
{
	// Without the sideband a death is noted when it is over.
	return frec__deaths_pending(&engine->deaths, pid) ||
	       (!engine->kernel && frec__engine_find_watched(engine, pid));
}

void frec__engine_core_dumps(struct frec_engine *engine, uint32_t pid)
{
	FREC_FREE char *pattern =
		frec__read_file_at(AT_FDCWD, FREC_CORE_PATTERN, 2 * FREC_CORE_PATTERN_MAX);

	if (pattern && frec__core_pattern_is_ours(pattern))
		frec__deaths_wait(&engine->deaths, pid, FREC_CORE_START_MAX);
}

bool frec__engine_core_announced(struct frec_engine *engine, uint32_t pid)
{
	// The signal was delivered before the core dump began, so the alert is there by now.
	frec__sideband_drain(&engine->sideband);
	frec__deaths_hold(&engine->deaths, pid,
			  frec__monotonic() + FREC_CORE_WAIT_MAX * UINT64_C(1000000));
	return is_awaited(engine, pid);
}

void frec__engine_core_over(struct frec_engine *engine, uint32_t pid)
{
	frec__deaths_wait(&engine->deaths, pid, FREC_DEATH_WAIT_MAX);
	frec__deaths_hold(&engine->deaths, pid, 0);
}

// The place for the stacks of a process: a free one, or the oldest, whose process has ended without
// a snapshot.
static struct frec_engine_core *place_for(struct frec_engine *engine, uint32_t pid)
{
	struct frec_engine_core *oldest;

	if (!engine->cores)
		engine->cores = calloc(FREC_CORES_MAX, sizeof(*engine->cores));
	oldest = engine->cores;
	for (size_t i = 0; engine->cores && i < FREC_CORES_MAX; i++) {
		if (engine->cores[i].pid == pid)
			return &engine->cores[i];
		if (engine->cores[i].since < oldest->since)
			oldest = &engine->cores[i];
	}
	return oldest;
}

static int parse(struct frec_thread_stacks *stacks, uint32_t pid, int fd, struct frec_error *reterr)
{
	int seals = fcntl(fd, F_GET_SEALS), r;
	struct stat status;
	uint8_t *data;

	// Without the seals it could be cut while it is read.
	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &status) ||
	    status.st_size > (off_t)FREC_CORE_STACKS_SIZE_MAX)
		return frec__error(reterr, -EINVAL,
				   "stacks of process %u: not in a sealed memory file", pid);
	if (!status.st_size) {
		*stacks = (struct frec_thread_stacks){.count = 0};
		return 0;
	}
	data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return frec__error(reterr, -errno, "stacks of process %u: %s", pid,
				   strerror(errno));
	r = frec__thread_stacks_parse(stacks, data, (size_t)status.st_size, pid, reterr);
	munmap(data, (size_t)status.st_size);
	return r;
}

int frec__engine_core_stacks(struct frec_engine *engine, uint32_t pid, int fd, uint32_t missing,
			     struct frec_error *reterr)
{
	struct frec_thread_stacks stacks;
	struct frec_engine_core *core;
	int r;

	if (!is_awaited(engine, pid)) {
		frec__report(LOG_WARNING,
			     "process %u: the stacks of its threads came after its snapshot", pid);
		return frec__error(reterr, -ESRCH, "no snapshot of process %u is to come", pid);
	}
	r = parse(&stacks, pid, fd, reterr);
	if (r)
		return r;
	core = place_for(engine, pid);
	if (!core) {
		frec__thread_stacks_deinit(&stacks);
		return frec__error(reterr, -ENOMEM, "out of memory");
	}
	frec__thread_stacks_deinit(&core->stacks);
	stacks.missing = missing;
	*core = (struct frec_engine_core){.pid = pid, .since = frec__monotonic(), .stacks = stacks};
	return 0;
}

struct frec_thread_stacks frec__engine_core_take(struct frec_engine *engine, uint32_t pid)
{
	struct frec_thread_stacks stacks = {.count = 0};

	for (size_t i = 0; engine->cores && i < FREC_CORES_MAX; i++) {
		if (!pid || engine->cores[i].pid != pid)
			continue;
		stacks = engine->cores[i].stacks;
		engine->cores[i] = (struct frec_engine_core){.pid = 0};
	}
	return stacks;
}

void frec__engine_stop_cores(struct frec_engine *engine)
{
	for (size_t i = 0; engine->cores && i < FREC_CORES_MAX; i++)
		frec__thread_stacks_deinit(&engine->cores[i].stacks);
	free(engine->cores);
	engine->cores = NULL;
}
