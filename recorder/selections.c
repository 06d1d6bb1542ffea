// SPDX-License-Identifier: MIT
// Parsing the selections of a recorder and matching events against them.
#include "recorder/selections.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int frec__selections_parse(struct frec_selections *selections, const char *const *texts,
			   const struct frec_stack_choice *stack, uint64_t ring_size,
			   struct frec_error *reterr)
{
	size_t count = 0;
	int r = frec__stack_check_ring(stack, ring_size, "--stack", reterr);

	*selections = (struct frec_selections){.stack = *stack};
	while (texts[count])
		count++;
	selections->selection = calloc(count + 1, sizeof(*selections->selection));
	if (!selections->selection)
		return frec__error(reterr, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count && !r; i++) {
		struct frec_selection *selection = &selections->selection[i];
		char owner[400];

		r = frec__selection_parse(selection, texts[i], reterr);
		if (r)
			return r;
		selections->count++;
		if (!selection->stack.is_set)
			selection->stack = *stack;
		snprintf(owner, sizeof(owner), "-e %s", selection->text);
		r = frec__stack_check_ring(&selection->stack, ring_size, owner, reterr);
	}
	return r;
}

void frec__selections_deinit(struct frec_selections *selections)
{
	for (size_t i = 0; i < selections->count; i++)
		frec__selection_deinit(&selections->selection[i]);
	free(selections->selection);
	*selections = (struct frec_selections){0};
}

int frec__selections_check(const struct frec_selections *selections, int tracefs,
			   struct frec_error *reterr)
{
	int r = 0;

	for (size_t i = 0; i < selections->count && !r; i++) {
		if (selections->selection[i].kind == FREC_SELECT_EVENT)
			r = frec__catalog_check(tracefs, selections->selection[i].name, reterr);
	}
	return r;
}

static bool is_of_services(const struct frec_selection *selection, int tracefs)
{
	return selection->kind == FREC_SELECT_EVENT &&
	       !frec__catalog_is_kernel(tracefs, selection->name);
}

const struct frec_selection *frec__selections_beyond_services(
	const struct frec_selections *selections, int tracefs)
{
	for (size_t i = 0; i < selections->count; i++) {
		if (!is_of_services(&selections->selection[i], tracefs))
			return &selections->selection[i];
	}
	return NULL;
}

const struct frec_selection *frec__selections_with_stacks(
	const struct frec_selections *selections, int tracefs, bool services,
	bool (*is_meant)(const struct frec_stack_choice *choice))
{
	for (size_t i = 0; i < selections->count; i++) {
		if (is_meant(&selections->selection[i].stack) &&
		    is_of_services(&selections->selection[i], tracefs) == services)
			return &selections->selection[i];
	}
	return NULL;
}

const struct frec_stack_choice *frec__selections_stack(const struct frec_selections *selections,
						       const struct frec_listed *listed)
{
	const struct frec_stack_choice *choice = &selections->stack;

	for (size_t i = 0; i < selections->count; i++) {
		const struct frec_selection *selection = &selections->selection[i];

		if (selection->kind == FREC_SELECT_EVENT && selection->stack.is_set &&
		    frec__catalog_matches(selection->name, listed))
			choice = &selection->stack;
	}
	return choice;
}

bool frec__selections_match(const struct frec_selections *selections,
			    const struct frec_declared *event)
{
	char shown[512];

	snprintf(shown, sizeof(shown), "%s:%s", event->provider, event->name);
	for (size_t i = 0; i < selections->count; i++) {
		if (selections->selection[i].kind == FREC_SELECT_EVENT &&
		    !fnmatch(selections->selection[i].name, shown, 0))
			return true;
	}
	return !strcmp(event->provider, "flightrec");
}
