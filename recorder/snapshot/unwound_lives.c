// SPDX-License-Identifier: MIT
// Keeps the unwinder's views of processes. A view is created for the first stack of a process. To
// unwind a stack from a time at which other files were mapped, the view is replaced.
#include "recorder/snapshot/unwound_lives.h"

#include <errno.h>
#include <stdlib.h>

#include "proto/cleanup.h"
#include "proto/grow.h"
#include "proto/table.h"
#include "recorder/snapshot/unwound.h"
#include "unwind/epochs.h"

// A view takes hundreds of kilobytes, so no more than this many are kept. To make room, the views
// of the processes that were met first are dropped.
#define VIEWS_MAX 64

struct life {
	const struct frec_process *process;
	struct frec_epochs epochs;
	struct frec_unwind_process *view; // NULL: none
	size_t epoch;			  // number of the view's epoch in `epochs`
};

struct frec_unwound_lives {
	const struct frec_process_table *processes;
	struct frec_unwinder *unwinder;
	size_t views, count;
	struct life *life;
	struct frec_table by_process; // from the address of a process to the index of its life
};

void frec__unwound_lives_destroy(struct frec_unwound_lives *lives)
{
	if (!lives)
		return;
	for (size_t i = 0; i < lives->count; i++) {
		frec__unwind_process_destroy(lives->life[i].view);
		frec__epochs_deinit(&lives->life[i].epochs);
	}
	free(lives->life);
	frec__table_free(&lives->by_process);
	frec__unwinder_destroy(lives->unwinder);
	free(lives);
}

// Only mappings of files matter to the unwinder. Code that is generated at run time is remapped all
// the time, and must not begin a new epoch each time.
static bool is_file(const struct frec_mapping *map)
{
	return *map->path == '/' && map->path[1] != '/';
}

static int find_epochs(struct life *life)
{
	const struct frec_process *process = life->process;
	FREC_FREE struct frec_mapped_span *spans = calloc(process->maps + 1, sizeof(*spans));
	size_t count = 0;

	if (!spans)
		return -ENOMEM;
	for (size_t i = 0; i < process->maps; i++) {
		const struct frec_mapping *map = &process->map[i];

		if (is_file(map))
			spans[count++] =
				(struct frec_mapped_span){map->start, map->end, map->since};
	}
	return frec__epochs_init(&life->epochs, spans, count);
}

int frec__unwound_lives_create(const struct frec_process_table *processes,
			       struct frec_unwound_lives **ret)
{
	struct frec_unwound_lives *lives = calloc(1, sizeof(*lives));
	int r = lives ? frec__unwound_open(&lives->unwinder) : -ENOMEM;

	if (r) {
		free(lives);
		return r;
	}
	lives->processes = processes;
	*ret = lives;
	return 0;
}

// Returns the process that had `pid` at `time`, or the first one with that pid if all of them
// started later, or NULL if there is none.
static const struct frec_process *find_process(const struct frec_process_table *processes,
					       uint32_t pid, uint64_t time)
{
	const struct frec_process *found = NULL;

	for (const struct frec_process *process = processes->bucket[pid % FREC_PROCESS_BUCKETS];
	     process; process = process->next) {
		if (process->pid != pid)
			continue;
		found = process;
		if (process->start <= time)
			break;
	}
	return found;
}

static struct life *find_life(struct frec_unwound_lives *lives, const struct frec_process *process)
{
	uint32_t *index = frec__table_get(&lives->by_process, (uintptr_t)process);
	struct life life = {.process = process};

	if (index)
		return &lives->life[*index];
	if (!frec__grow(&lives->life, lives->count, sizeof(*lives->life)) || find_epochs(&life))
		return NULL;
	index = frec__table_put(&lives->by_process, (uintptr_t)process, NULL);
	if (!index) {
		frec__epochs_deinit(&life.epochs);
		return NULL;
	}
	*index = (uint32_t)lives->count;
	lives->life[lives->count] = life;
	return &lives->life[lives->count++];
}

static void drop_view(struct frec_unwound_lives *lives, struct life *life)
{
	if (life->view)
		lives->views--;
	frec__unwind_process_destroy(life->view);
	life->view = NULL;
}

static void make_room(struct frec_unwound_lives *lives)
{
	for (size_t i = 0; i < lives->count && lives->views >= VIEWS_MAX; i++)
		drop_view(lives, &lives->life[i]);
}

struct frec_unwind_process *frec__unwound_lives_find(struct frec_unwound_lives *lives, uint32_t pid,
						     uint64_t time)
{
	const struct frec_process *process = find_process(lives->processes, pid, time);
	struct life *life = process ? find_life(lives, process) : NULL;
	size_t epoch = life ? frec__epochs_at(&life->epochs, time) : 0;
	uint64_t until;

	if (!life)
		return NULL;
	if (life->view && life->epoch == epoch)
		return life->view;
	drop_view(lives, life);
	make_room(lives);
	until = frec__epochs_end(&life->epochs, epoch);
	until -= until != UINT64_MAX;
	if (frec__unwound_process(lives->unwinder, process, until, &life->view))
		return NULL;
	lives->views++;
	life->epoch = epoch;
	return life->view;
}

const struct frec_unwinder *frec__unwound_lives_unwinder(const struct frec_unwound_lives *lives)
{
	return lives->unwinder;
}
