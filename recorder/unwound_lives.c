// SPDX-License-Identifier: MIT
// Lives of processes with their mappings, and for each the unwinder's view of it, which is made when a stack asks for it and
// made anew for a time at which something else was mapped.
#include "recorder/unwound_lives.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "recorder/cleanup.h"
#include "recorder/unwound.h"
#include "unwind/epochs.h"

// The unwinder's view of a process takes some hundred kilobytes: when there are so many, all are given up.
#define VIEWS_MAX 64

struct life {
	struct frec_process process; // its number, start and mappings; nothing else is set
	struct frec_epochs epochs;
	struct frec_unwind_process *view; // NULL: not made
	size_t epoch;			  // the one that it is of
	struct life *next;		  // in its bucket, youngest first
};

struct frec_unwound_lives {
	struct frec_unwinder *unwinder;
	size_t views;
	struct life *bucket[FREC_PROCESS_BUCKETS];
};

static void life_free(struct life *life)
{
	if (!life)
		return;
	frec__unwind_process_destroy(life->view);
	for (size_t i = 0; i < life->process.maps; i++)
		free(life->process.map[i].path);
	free(life->process.map);
	frec__epochs_deinit(&life->epochs);
	free(life);
}

void frec__unwound_lives_destroy(struct frec_unwound_lives *lives)
{
	for (size_t i = 0; lives && i < FREC_PROCESS_BUCKETS; i++) {
		while (lives->bucket[i]) {
			struct life *life = lives->bucket[i];

			lives->bucket[i] = life->next;
			life_free(life);
		}
	}
	free(lives);
}

// Code that is made at run time replaces itself all the time, and means the same to the unwinder: of files alone it matters.
static bool is_file(const struct frec_map *map)
{
	return *map->path == '/' && map->path[1] != '/';
}

static int find_epochs(struct life *life)
{
	const struct frec_process *process = &life->process;
	FREC_FREE struct frec_mapped_span *spans = calloc(process->maps + 1, sizeof(*spans));
	size_t count = 0;

	if (!spans)
		return -ENOMEM;
	for (size_t i = 0; i < process->maps; i++) {
		const struct frec_map *map = &process->map[i];

		if (is_file(map))
			spans[count++] = (struct frec_mapped_span){map->start, map->end, map->since};
	}
	return frec__epochs_init(&life->epochs, spans, count);
}

static struct life *life_copy(const struct frec_process *process)
{
	struct life *life = calloc(1, sizeof(*life));
	struct frec_map *maps = calloc(process->maps + 1, sizeof(*maps));

	if (!life || !maps) {
		free(life);
		free(maps);
		return NULL;
	}
	life->process.pid = process->pid;
	life->process.start = process->start;
	life->process.map = maps;
	for (size_t i = 0; i < process->maps; i++) {
		maps[i] = process->map[i];
		maps[i].path = strdup(process->map[i].path);
		if (!maps[i].path)
			break;
		life->process.maps++;
	}
	if (life->process.maps == process->maps && !find_epochs(life))
		return life;
	life_free(life);
	return NULL;
}

int frec__unwound_lives_create(const struct frec_processes *processes,
			       struct frec_unwinder *unwinder,
			       bool (*wanted)(const void *context, uint32_t pid),
			       const void *context, struct frec_unwound_lives **ret)
{
	struct frec_unwound_lives *lives = calloc(1, sizeof(*lives));

	if (!lives)
		return -ENOMEM;
	lives->unwinder = unwinder;
	for (size_t i = 0; i < FREC_PROCESS_BUCKETS; i++) {
		struct life **last = &lives->bucket[i];

		for (const struct frec_process *process = processes->bucket[i]; process;
		     process = process->next) {
			if (!wanted(context, process->pid))
				continue;
			*last = life_copy(process);
			if (!*last) {
				frec__unwound_lives_destroy(lives);
				return -ENOMEM;
			}
			last = &(*last)->next;
		}
	}
	*ret = lives;
	return 0;
}

static struct life *find_life(const struct frec_unwound_lives *lives, uint32_t pid, uint64_t time)
{
	struct life *found = NULL;

	for (struct life *life = lives->bucket[pid % FREC_PROCESS_BUCKETS]; life;
	     life = life->next) {
		if (life->process.pid != pid)
			continue;
		found = life;
		if (life->process.start <= time)
			break;
	}
	return found;
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
	struct life *life = find_life(lives, pid, time);
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
	if (frec__unwound_process(lives->unwinder, &life->process, until, &life->view))
		return NULL;
	lives->views++;
	life->epoch = epoch;
	return life->view;
}
