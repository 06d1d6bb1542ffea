// SPDX-License-Identifier: MIT
// Lives of processes, and for each the unwinder's view of it, which is made when a stack asks for
// it and made anew for a time at which something else was mapped.
#include "recorder/snapshot/unwound_lives.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/cleanup.h"
#include "recorder/snapshot/unwound.h"
#include "unwind/epochs.h"

// The unwinder's view of a process takes some hundred kilobytes: when there are so many, all are
// given up.
#define VIEWS_MAX 64

struct life {
	const struct frec_process *process;
	struct frec_epochs epochs;
	struct frec_unwind_process *view; // NULL: not made
	size_t epoch;			  // the one that it is of
	struct life *next;		  // in its bucket
};

struct frec_unwound_lives {
	const struct frec_process_table *processes;
	struct frec_unwinder *unwinder;
	size_t views;
	struct life *bucket[FREC_PROCESS_BUCKETS];
};

static void life_free(struct life *life)
{
	frec__unwind_process_destroy(life->view);
	frec__epochs_deinit(&life->epochs);
	free(life);
}

void frec__unwound_lives_destroy(struct frec_unwound_lives *lives)
{
	if (!lives)
		return;
	for (size_t i = 0; i < FREC_PROCESS_BUCKETS; i++) {
		while (lives->bucket[i]) {
			struct life *life = lives->bucket[i];

			lives->bucket[i] = life->next;
			life_free(life);
		}
	}
	frec__unwinder_destroy(lives->unwinder);
	free(lives);
}

// Code that is made at run time replaces itself all the time, and means the same to the unwinder:
// of files alone it matters.
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

// The life that `pid` had then; where all began later, the first.
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
	struct life **bucket = &lives->bucket[process->pid % FREC_PROCESS_BUCKETS], *life;

	for (life = *bucket; life; life = life->next) {
		if (life->process == process)
			return life;
	}
	life = calloc(1, sizeof(*life));
	if (!life)
		return NULL;
	life->process = process;
	if (find_epochs(life)) {
		free(life);
		return NULL;
	}
	life->next = *bucket;
	*bucket = life;
	return life;
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
	for (size_t i = 0; i < FREC_PROCESS_BUCKETS && lives->views >= VIEWS_MAX; i++) {
		for (struct life *life = lives->bucket[i]; life; life = life->next)
			drop_view(lives, life);
	}
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
