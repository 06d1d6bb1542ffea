// SPDX-License-Identifier: MIT
// Watched processes and their descendants.
#include "recorder/watchlist.h"

#include <errno.h>
#include <stdlib.h>

#include "proto/grow.h"

int frec__watchlist_add(struct frec_watchlist *list, const struct frec_process *process,
			int64_t only_uid)
{
	if (!frec__grow(&list->watched, list->count, sizeof(*list->watched)))
		return -ENOMEM;
	list->watched[list->count++] = (struct frec_watched){
		.pid = process->pid, .life = process->life, .only_uid = only_uid};
	return 0;
}

void frec__watchlist_remove(struct frec_watchlist *list, uint64_t life, int64_t only_uid)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->watched[i].life != life || list->watched[i].only_uid != only_uid)
			continue;
		list->watched[i] = list->watched[--list->count];
		return;
	}
}

bool frec__watchlist_has(const struct frec_watchlist *list, const struct frec_process *process)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->watched[i].life == process->life)
			return true;
	}
	return false;
}

const struct frec_watched *frec__watchlist_find(const struct frec_watchlist *list,
						const struct frec_process *process)
{
	const struct frec_process *at = process;

	for (int depth = 0; at && depth < FREC_DESCENT_MAX; depth++, at = at->parent) {
		for (size_t i = 0; i < list->count; i++) {
			const struct frec_watched *watched = &list->watched[i];

			if (watched->life == at->life &&
			    frec__owner_shows(&process->owner, watched->only_uid))
				return watched;
		}
	}
	return NULL;
}

bool frec__watchlist_matters(void *list, const struct frec_process *process)
{
	return frec__watchlist_find(list, process);
}

void frec__watchlist_deinit(struct frec_watchlist *list)
{
	free(list->watched);
	*list = (struct frec_watchlist){0};
}
