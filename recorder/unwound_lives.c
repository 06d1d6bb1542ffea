// SPDX-License-Identifier: MIT
// Lives of processes with their mappings, and for each the unwinder's view of it, which is made when a stack asks for it and
// made anew for a time at which something else was mapped.
#include "recorder/unwound_lives.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "recorder/cleanup.h"
#include "recorder/unwound.h"

// The unwinder's view of a process takes some hundred kilobytes: when there are so many, all are given up.
#define VIEWS_MAX 64

struct life {
	struct frec_process process; // its number, start and mappings; nothing else is set
	// When a mapping took the place of another one: between two of these moments each address has one meaning.
	uint64_t *replaced;
	size_t replaced_count;
	struct frec_unwind_process *view; // NULL: not made
	size_t epoch;			  // how many of them had passed at the time of the view
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
	free(life->replaced);
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

static int by_time(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int by_start(const void *a, const void *b)
{
	const struct frec_map *x = *(const struct frec_map *const *)a,
			      *y = *(const struct frec_map *const *)b;

	return (x->start > y->start) - (x->start < y->start);
}

// Code that is made at run time replaces itself all the time, and means the same to the unwinder: of files alone it matters.
static bool is_file(const struct frec_map *map)
{
	return *map->path == '/' && map->path[1] != '/';
}

static int find_replaced(struct life *life)
{
	const struct frec_process *process = &life->process;
	FREC_FREE const struct frec_map **sorted = calloc(process->maps + 1, sizeof(*sorted));
	const struct frec_map *reach = NULL;
	size_t count = 0;

	life->replaced = calloc(process->maps + 1, sizeof(*life->replaced));
	if (!sorted || !life->replaced)
		return -ENOMEM;
	for (size_t i = 0; i < process->maps; i++) {
		if (is_file(&process->map[i]))
			sorted[count++] = &process->map[i];
	}
	qsort(sorted, count, sizeof(*sorted), by_start);
	for (size_t i = 0; i < count; i++) {
		if (reach && sorted[i]->start < reach->end && sorted[i]->since != reach->since)
			life->replaced[life->replaced_count++] =
				sorted[i]->since > reach->since ? sorted[i]->since : reach->since;
		if (!reach || sorted[i]->end > reach->end)
			reach = sorted[i];
	}
	qsort(life->replaced, life->replaced_count, sizeof(*life->replaced), by_time);
	return 0;
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
	if (life->process.maps == process->maps && !find_replaced(life))
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

static size_t epoch_at(const struct life *life, uint64_t time)
{
	size_t low = 0, high = life->replaced_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (life->replaced[middle] <= time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
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
	size_t epoch = life ? epoch_at(life, time) : 0;
	uint64_t until;

	if (!life)
		return NULL;
	if (life->view && life->epoch == epoch)
		return life->view;
	drop_view(lives, life);
	make_room(lives);
	// What replaces nothing is taken in whenever it came: nothing ran there before.
	until = epoch < life->replaced_count ? life->replaced[epoch] - 1 : UINT64_MAX;
	if (frec__unwound_process(lives->unwinder, &life->process, until, &life->view))
		return NULL;
	lives->views++;
	life->epoch = epoch;
	return life->view;
}
