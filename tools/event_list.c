// SPDX-License-Identifier: MIT
// Gathering events from tracefs and from ELF files.
#include "tools/event_list.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/grow.h"
#include "proto/read_file.h"
#include "recorder/declared/declared_files.h"
#include "recorder/declared/declared_kinds.h"
#include "recorder/sources/foreign.h"

#define FORMAT_MAX (256u << 10)

void frec__event_list_deinit(struct frec_event_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		frec__format_deinit(&list->event[i].format);
		free(list->event[i].conflict);
	}
	free(list->event);
	frec__declarations_deinit(&list->declarations);
	if (list->tracefs >= 0)
		close(list->tracefs);
}

static struct frec_listed_event *grow(struct frec_event_list *list)
{
	if (!frec__grow(&list->event, list->count, sizeof(*list->event)))
		return NULL;
	list->event[list->count] = (struct frec_listed_event){0};
	return &list->event[list->count];
}

static int read_format(int tracefs, const struct frec_listed *listed, struct frec_format *ret,
		       struct frec_error *reterr)
{
	FREC_FREE char *text = NULL;
	char path[1200];

	snprintf(path, sizeof(path), "events/%s/%s/format", listed->group, listed->kernel_name);
	text = frec__read_file_at(tracefs, path, FORMAT_MAX);
	if (!text)
		return frec__error(reterr, -errno, "%s:%s: %s: %s", listed->system, listed->name,
				   path, strerror(errno));
	return frec__format_parse(ret, text, listed->kind == FLIGHTREC__SOURCE_KIND__SOURCE_EVENT,
				  reterr);
}

struct walk {
	struct frec_event_list *list;
	struct frec_error *reterr;
	int matched;
};

static bool is_known(const struct frec_event_list *list, const struct frec_listed *listed)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct frec_listed *known = &list->event[i].listed;

		if (!strcmp(known->group, listed->group) &&
		    !strcmp(known->kernel_name, listed->kernel_name))
			return true;
	}
	return false;
}

// Adds an event that is not in the list yet. Takes ownership of the format.
static int add_known(struct walk *walk, const struct frec_listed *listed,
		     struct frec_format *format)
{
	struct frec_listed_event *event = grow(walk->list);

	if (!event) {
		frec__format_deinit(format);
		return frec__error(walk->reterr, -ENOMEM, "out of memory");
	}
	event->listed = *listed;
	event->format = *format;
	walk->list->count++;
	walk->matched++;
	return 0;
}

static int add_listed(void *context, const struct frec_listed *listed)
{
	struct walk *walk = context;
	struct frec_format format;
	int r;

	if (is_known(walk->list, listed)) {
		walk->matched++;
		return 0;
	}
	r = read_format(walk->list->tracefs, listed, &format, walk->reterr);
	// The kernel removes an event when the last program that has registered it ends. That can
	// happen after the event was listed and before its format is read.
	if (r == -ENOENT)
		return 0;
	return r ? r : add_known(walk, listed, &format);
}

static int add_foreign(void *context, const struct frec_listed *listed, struct frec_format *format)
{
	struct walk *walk = context;

	if (!is_known(walk->list, listed))
		return add_known(walk, listed, format);
	frec__format_deinit(format);
	return 0;
}

int frec__event_list_add_foreign(struct frec_event_list *list, const char *selection,
				 struct frec_error *reterr)
{
	struct walk walk = {.list = list, .reterr = reterr};
	struct frec_selection parsed;
	int r = frec__selection_parse(&parsed, selection, reterr);

	if (!r)
		r = frec__foreign_list(&parsed, add_foreign, &walk, reterr);
	frec__selection_deinit(&parsed);
	return r;
}

int frec__event_list_add_kernel(struct frec_event_list *list, const char *selection,
				struct frec_error *reterr)
{
	struct walk walk = {.list = list, .reterr = reterr};
	int r = frec__catalog_walk(list->tracefs, selection, add_listed, &walk);

	return r ? r : walk.matched;
}

int frec__event_list_add_file(struct frec_event_list *list, const char *path,
			      struct frec_error *reterr)
{
	struct frec_declarations of_file = {0};
	struct stat status;
	int r = frec__declarations_add_file(&of_file, path, true), count;

	if (!r && !stat(path, &status) && S_ISDIR(status.st_mode))
		r = -EISDIR;
	count = (int)of_file.count;
	frec__declarations_deinit(&of_file);
	// The result counts the declarations of this file alone. `list` has those of all files,
	// each once.
	if (!r)
		r = frec__declarations_add_file(&list->declarations, path, true);
	if (r)
		return frec__error(reterr, r, "%s: %s", path, strerror(-r));
	return count;
}

struct comparison {
	int tracefs;
	struct frec_declarations declared; /* one event, which belongs to another list */
	bool registered, agrees;
};

static int compare_format(void *context, const struct frec_listed *listed)
{
	struct comparison *comparison = context;
	const struct frec_declared *declared = comparison->declared.event;
	struct frec_format format;

	if (read_format(comparison->tracefs, listed, &format, NULL))
		return 0;
	comparison->registered = true;
	comparison->agrees |= frec__declarations_refine(&comparison->declared, declared->provider,
							declared->name, &format);
	frec__format_deinit(&format);
	return comparison->agrees;
}

// Returns whether the kernel has an event of this name (`registered`), and one with these fields
// (`agrees`).
static struct comparison compare(int tracefs, struct frec_declared *declared)
{
	struct comparison comparison = {.tracefs = tracefs,
					.declared = {.count = 1, .event = declared}};
	FREC_FREE char *name = NULL;

	if (tracefs >= 0 && asprintf(&name, "%s:%s", declared->provider, declared->name) >= 0)
		frec__catalog_walk(tracefs, name, compare_format, &comparison);
	return comparison;
}

static struct frec_listed_event *find(struct frec_event_list *list,
				      const struct frec_declared *declared)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!strcmp(list->event[i].listed.system, declared->provider) &&
		    !strcmp(list->event[i].listed.name, declared->name))
			return &list->event[i];
	}
	return NULL;
}

static int add_declared(struct frec_event_list *list, struct frec_declared *declared)
{
	struct comparison comparison = compare(list->tracefs, declared);
	struct frec_listed_event *event;

	// The event is already in the list, because the kernel has it with the same fields.
	if (comparison.agrees && find(list, declared))
		return 0;
	event = grow(list);
	if (!event)
		return -ENOMEM;
	event->listed.kind = FLIGHTREC__SOURCE_KIND__SOURCE_EVENT;
	snprintf(event->listed.system, sizeof(event->listed.system), "%s", declared->provider);
	snprintf(event->listed.name, sizeof(event->listed.name), "%s", declared->name);
	event->declared = declared;
	list->count++;
	return 0;
}

static int order(const void *a, const void *b)
{
	const struct frec_listed *left = &((const struct frec_listed_event *)a)->listed;
	const struct frec_listed *right = &((const struct frec_listed_event *)b)->listed;
	int r = strcmp(left->system, right->system);

	r = r ? r : strcmp(left->name, right->name);
	return r ? r : strcmp(left->kernel_name, right->kernel_name);
}

static int note_conflict(struct frec_event_list *list, struct frec_declared *declared)
{
	struct frec_listed_event *event = find(list, declared);
	struct comparison comparison;

	if (!event || event->conflict)
		return 0;
	comparison = compare(list->tracefs, declared);
	if (!comparison.registered || comparison.agrees)
		return 0;
	event->conflict = frec__declared_registration(declared);
	return event->conflict ? 0 : -ENOMEM;
}

int frec__event_list_finish(struct frec_event_list *list, struct frec_error *reterr)
{
	size_t from_files = list->declarations.count;
	bool ours = false;
	int r = 0;

	for (size_t i = 0; i < list->count; i++)
		ours |= list->event[i].listed.kind == FLIGHTREC__SOURCE_KIND__SOURCE_EVENT;
	// This reads every running program, so it is done only if there are events that were
	// declared with FREC_EVENT, to refine them.
	if (ours)
		r = frec__declarations_add_machine(&list->declarations);
	frec__declarations_finish(&list->declarations);
	for (size_t i = 0; i < from_files && !r; i++)
		r = add_declared(list, &list->declarations.event[i]);
	for (size_t i = 0; i < list->declarations.count && !r; i++)
		r = note_conflict(list, &list->declarations.event[i]);
	if (r)
		return frec__error(reterr, r, "out of memory");
	for (size_t i = 0; i < list->count; i++) {
		struct frec_listed_event *event = &list->event[i];

		if (event->listed.kind == FLIGHTREC__SOURCE_KIND__SOURCE_EVENT && !event->declared)
			frec__declarations_refine(&list->declarations, event->listed.system,
						  event->listed.name, &event->format);
	}
	if (list->count)
		qsort(list->event, list->count, sizeof(*list->event), order);
	return 0;
}
