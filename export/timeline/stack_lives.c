// SPDX-License-Identifier: MIT
// Finds lives by their process in the snapshot. Only the mappings of one epoch are kept: events
// come in order of time, so an earlier epoch is seldom needed again.
#include "export/timeline/stack_lives.h"

#include <errno.h>
#include <stdlib.h>

#include "export/read/records.h"
#include "proto/cleanup.h"
#include "proto/grow.h"

struct frec_stack_life {
	const Flightrec__Process *process;
	struct frec_epochs epochs;
	size_t epoch; // of `located`
	struct frec_located_process located;
};

void frec__stack_lives_init(struct frec_stack_lives *lives, const struct frec_processes *processes,
			    struct frec_unwinder *unwinder, struct frec_left_out *left_out)
{
	*lives = (struct frec_stack_lives){
		.processes = processes, .unwinder = unwinder, .left_out = left_out};
}

static void free_life(struct frec_stack_life *life)
{
	frec__located_process_deinit(&life->located);
	frec__epochs_deinit(&life->epochs);
	free(life);
}

void frec__stack_lives_deinit(struct frec_stack_lives *lives)
{
	for (size_t i = 0; i < lives->count; i++)
		free_life(lives->lives[i]);
	free(lives->lives);
	frec__table_free(&lives->indices);
	*lives = (struct frec_stack_lives){0};
}

static int find_epochs(struct frec_stack_life *life)
{
	const Flightrec__Process *process = life->process;
	FREC_FREE struct frec_mapped_span *spans = calloc(process->n_map + 1, sizeof(*spans));
	size_t count = 0;

	if (!spans)
		return -ENOMEM;
	for (size_t i = 0; i < process->n_map; i++) {
		const Flightrec__Map *map = process->map[i];

		if (frec__mapping_is_file(map))
			spans[count++] =
				(struct frec_mapped_span){map->start, map->end, map->since};
	}
	return frec__epochs_init(&life->epochs, spans, count);
}

// Sets `located` to the mappings at `time`. Returns 0 or a negative errno.
static int move_to(struct frec_stack_lives *lives, struct frec_stack_life *life, uint64_t time)
{
	size_t epoch = frec__epochs_at(&life->epochs, time);

	if (life->located.unwind && epoch == life->epoch)
		return 0;
	if (life->process->n_map > lives->left_out->mapped_left) {
		lives->exhausted = true;
		return -E2BIG;
	}
	lives->left_out->mapped_left -= life->process->n_map;
	frec__located_process_deinit(&life->located);
	life->epoch = epoch;
	return frec__located_process_init(&life->located, lives->unwinder, life->process,
					  frec__epochs_end(&life->epochs, epoch));
}

static struct frec_stack_life *find_or_add(struct frec_stack_lives *lives,
					   const Flightrec__Process *process)
{
	uint32_t *index = frec__table_put(&lives->indices, (uintptr_t)process, NULL);
	struct frec_stack_life *life;

	if (!index)
		return NULL;
	if (*index)
		return lives->lives[*index - 1];
	if (!frec__grow(&lives->lives, lives->count, sizeof(life)))
		return NULL;
	life = calloc(1, sizeof(*life));
	if (!life)
		return NULL;
	life->process = process;
	if (find_epochs(life)) {
		free_life(life);
		return NULL;
	}
	lives->lives[lives->count++] = life;
	*index = (uint32_t)lives->count;
	return life;
}

struct frec_located_process *frec__stack_lives_find(struct frec_stack_lives *lives, uint32_t pid,
						    uint32_t tid, uint64_t time)
{
	const struct frec_process_entry *entry =
		frec__processes_find(lives->processes, pid == FREC_UNKNOWN ? tid : pid, time);
	struct frec_stack_life *life = lives->last;

	lives->exhausted = false;
	if (!entry || !lives->unwinder)
		return NULL;
	if (!life || life->process != entry->process)
		life = find_or_add(lives, entry->process);
	if (!life || move_to(lives, life, time))
		return NULL;
	lives->last = life;
	return &life->located;
}
