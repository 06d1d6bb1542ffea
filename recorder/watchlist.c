// SPDX-License-Identifier: MIT
// Watched processes and their descendants.
#include "recorder/watchlist.h"

#include <errno.h>
#include <stdlib.h>

#include "proto/grow.h"

int frec__watchlist_add(struct frec_watchlist *list, uint32_t pid, int64_t only_uid)
{
	if (!frec__grow(&list->watched, list->count, sizeof(*list->watched)))
		return -ENOMEM;
	list->watched[list->count++] = (struct frec_watched){.pid = pid, .only_uid = only_uid};
	return 0;
}

// Returns the index of a watched process, or the number of watched processes.
static size_t index_of(const struct frec_watchlist *list, uint32_t pid)
{
	size_t at = 0;

	while (at < list->count && list->watched[at].pid != pid)
		at++;
	return at;
}

bool frec__watchlist_has(const struct frec_watchlist *list, uint32_t pid)
{
	return index_of(list, pid) < list->count;
}

void frec__watchlist_remove(struct frec_watchlist *list, uint32_t pid)
{
	size_t at = index_of(list, pid);

	if (at < list->count)
		list->watched[at] = list->watched[--list->count];
}

const struct frec_watched *frec__watchlist_find(const struct frec_watchlist *list, uint32_t pid)
{
	for (size_t i = 0; i < list->count; i++) {
		if (frec__process_table_descends(list->processes, pid, list->watched[i].pid))
			return &list->watched[i];
	}
	return NULL;
}

bool frec__watchlist_matters(void *list, const struct frec_process *process)
{
	return frec__watchlist_find(list, process->pid);
}

void frec__watchlist_deinit(struct frec_watchlist *list)
{
	free(list->watched);
	*list = (struct frec_watchlist){0};
}
