// SPDX-License-Identifier: MIT
// Following a service from process to process.
#include "recorder/lineage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "recorder/engine.h"
#include "recorder/processes/process_end.h"
#include "recorder/service/shm.h"

// The most descendants that are watched in place of one process that has ended.
#define HEIRS_MAX 1024

// Returns whether the sideband has reported no exec between the process and the watched one that it
// descends from. An exec of an ancestor matters only if it preceded the birth of the next process
// in that chain.
static bool has_same_program(const struct frec_engine *engine, const struct frec_process *process)
{
	uint64_t born = UINT64_MAX;

	for (int depth = 0; process && depth < FREC_DESCENT_MAX; depth++) {
		if (process->image_since > engine->recording_since && process->image_since <= born)
			return false;
		if (frec__watchlist_has(&engine->watchlist, process))
			return true;
		// Nobody knows any more whether a forgotten process in between called exec.
		if (process->parent && process->parent->pid != process->ppid)
			return false;
		born = process->start;
		process = process->parent;
	}
	return false;
}

// Returns whether a process has mapped the memory that services write their events into. An exec
// removes that mapping. If the mappings of the process may not be read, because it has changed its
// user, assumes that the memory is among them.
static bool has_memory(uint32_t pid)
{
	FREC_FCLOSE FILE *maps = NULL;
	char path[64], line[512];
	bool any = false;

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		return errno == EACCES || errno == EPERM;
	while (fgets(line, sizeof(line), maps)) {
		if (strstr(line, "/memfd:" FREC_SHM_NAME))
			return true;
		any = true;
	}
	return !any && ferror(maps);
}

// Returns whether a process that lives, as far as the process table knows, belongs to the service.
static bool is_service(const struct frec_engine *engine, const struct frec_process *process)
{
	// A keeper descends from its service, but is no part of it.
	if (process->pid == (uint32_t)getpid())
		return false;
	if (engine->kernel)
		return has_same_program(engine, process);
	return frec__ends_is_alive(&engine->ends, process->pid) && has_memory(process->pid);
}

struct search {
	struct frec_engine *engine;
	const struct frec_process *of; // only its descendants; NULL: those of any watched process
	bool found;
	size_t heirs;
	uint32_t heir[HEIRS_MAX];
};

static void visit(void *context, const struct frec_process *process)
{
	struct search *search = context;
	const struct frec_engine *engine = search->engine;

	if (search->found || !frec__watchlist_find(&engine->watchlist, process))
		return;
	if (!is_service(engine, process))
		return;
	// Ask the kernel as well, because the sideband can lose the record of an end, and a keeper
	// that took a dead process for a living one would never end. An heir is another matter: its
	// crash may not have been read from the sideband yet, and must find it watched.
	if (!search->of)
		search->found = !engine->kernel || !frec__process_is_over(process->pid);
	else if (frec__watchlist_has(&engine->watchlist, process) && process != search->of)
		frec__ends_await(&search->engine->ends, process, -1, true);
	else if (search->heirs < HEIRS_MAX && frec__process_descends(process, search->of->life))
		search->heir[search->heirs++] = process->pid;
}

bool frec__lineage_lives(struct frec_engine *engine)
{
	struct search search = {.engine = engine};

	frec__process_table_each(&engine->processes, visit, &search);
	return search.found;
}

void frec__lineage_refresh(struct frec_engine *engine)
{
	struct frec_watchlist *list = &engine->watchlist;

	for (size_t i = list->count; i-- > 0;) {
		const struct frec_watched watched = list->watched[i];
		const struct frec_process *process =
			frec__process_table_life(&engine->processes, watched.pid, watched.life);
		struct search search;

		if (!process || !process->exit)
			continue;
		search = (struct search){.engine = engine, .of = process};
		frec__process_table_each(&engine->processes, visit, &search);
		for (size_t heir = 0; heir < search.heirs; heir++)
			(void)frec__engine_watch(engine,
						 frec__engine_process(engine, search.heir[heir]),
						 watched.only_uid, true);
		frec__watchlist_remove(list, watched.life, watched.only_uid);
	}
}
