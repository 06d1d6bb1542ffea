// SPDX-License-Identifier: MIT
// Finding files that have sites, and setting breakpoints on those of selected events.
#include "recorder/breakpoints.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "proto/cleanup.h"
#include "proto/grow.h"
#include "proto/report.h"
#include "proto/share.h"
#include "recorder/declared/declared_files.h"
#include "recorder/declared/file_reader.h"
#include "recorder/processes/held_files.h"
#include "recorder/sources/usdt.h"

// How many mapped files may wait to be read. If there are more, the files of all processes of the
// machine are read instead.
#define FILES_MAX 4096
// A newly mapped file is compared with at most this many of the files that wait already.
#define FILES_COMPARED 15

struct frec_mapped_file {
	uint32_t pid;
	uint64_t start, end;
	char *path;
};

void frec__breakpoints_mapped(struct frec_breakpoints *breakpoints, uint32_t pid,
			      const struct frec_mapping *map)
{
	size_t count = breakpoints->count;
	char *copy;

	frec__held_files_mapped(breakpoints->processes, pid, map);

	// A library is mapped in several pieces, so the kernel reports the same file several times.
	for (size_t i = count; i-- > 0 && i + FILES_COMPARED >= count;) {
		if (breakpoints->file[i].pid == pid &&
		    !strcmp(breakpoints->file[i].path, map->path))
			return;
	}
	copy = count < FILES_MAX &&
			       frec__grow(&breakpoints->file, count, sizeof(*breakpoints->file))
		       ? strdup(map->path)
		       : NULL;
	if (copy)
		breakpoints->file[breakpoints->count++] = (struct frec_mapped_file){
			.pid = pid, .start = map->start, .end = map->end, .path = copy};
	else
		breakpoints->missed = true;
}

// Reports an event that is not recorded, but only one of each user in a row, because there may be
// thousands.
static void report_no_slot(struct frec_breakpoints *breakpoints,
			   const struct frec_declared *declared, uint32_t uid)
{
	uint32_t slots = frec__usdt_output(breakpoints->usdt)->slots;

	if (breakpoints->reported && breakpoints->reported_uid == uid)
		return;
	breakpoints->reported = true;
	breakpoints->reported_uid = uid;
	if (frec__is_stranger(uid))
		frec__report(LOG_WARNING,
			     "%s:%s and more events of user %u are not recorded: there are more "
			     "than %u of one user other than root, or %u of all such users",
			     declared->provider, declared->name, uid, slots / 4, slots / 4 * 3);
	else
		frec__report(LOG_WARNING,
			     "%s:%s and more events are not recorded: there are more than %u",
			     declared->provider, declared->name, slots);
}

// Sets *ret_slot to the slot of an event that a file of user `uid` declares. Opens the event's
// source if the event is met for the first time. Returns 0 or a negative errno.
static int slot_of(struct frec_breakpoints *breakpoints, size_t event, uint32_t uid,
		   uint32_t *ret_slot)
{
	struct frec_source_set *sources = breakpoints->sources;
	const struct frec_declared *declared = &sources->declarations->event[event];
	struct frec_bpf_output *output = frec__usdt_output(breakpoints->usdt);
	struct frec_error error = {.message = "out of memory"};
	struct frec_share share = {.uid = uid};
	struct frec_source source;
	int r;

	for (size_t i = 0; i < sources->count; i++) {
		const struct frec_source *known = &sources->source[i];

		if (known->output != output)
			continue;
		frec__share_count(&share, known->uid, 1);
		if (known->declared == event) {
			*ret_slot = known->slot;
			return 0;
		}
	}
	if (!frec__share_has_room(&share, 1, output->slots)) {
		report_no_slot(breakpoints, declared, uid);
		return -E2BIG;
	}
	r = frec__source_init_declared(&source, declared, FLIGHTREC__TRANSPORT__TRANSPORT_USDT,
				       output, breakpoints->slots);
	if (!r) {
		source.declared = event;
		source.uid = uid;
		frec__source_set_stack(&source,
				       frec__selections_stack(sources->selections, &source.listed));
		r = frec__source_set_add(sources, &source, &error);
	}
	if (r) {
		frec__report(LOG_WARNING, "%s:%s is not recorded: %s", declared->provider,
			     declared->name, error.message);
		return r;
	}
	*ret_slot = breakpoints->slots++;
	return 0;
}

static void found_sites(void *context, int fd, const struct frec_site *sites, size_t count)
{
	struct frec_breakpoints *breakpoints = context;
	struct frec_source_set *sources = breakpoints->sources;
	FREC_FREE struct frec_usdt_target *targets = calloc(count, sizeof(*targets));
	struct frec_error error;
	struct stat status;
	size_t found = 0;
	uint32_t uid;

	if (fstat(fd, &status))
		return;
	uid = frec__file_is_trusted(&status) ? 0 : status.st_uid;
	for (size_t i = 0; i < count && targets; i++) {
		if (!frec__selections_match(sources->selections,
					    &sources->declarations->event[sites[i].event]))
			continue;
		targets[found].offset = sites[i].offset;
		targets[found].enable = sites[i].enable;
		if (!slot_of(breakpoints, sites[i].event, uid, &targets[found].slot))
			found++;
	}
	if (!found)
		return;
	// Before the first record comes, there must be room for the new sources in a capture.
	if (frec__source_set_reserve(sources, &error) ||
	    frec__usdt_attach(breakpoints->usdt, fd, targets, found, &error))
		frec__report(LOG_WARNING, "events of a program are not recorded: %s",
			     error.message);
	else
		frec__held_files_emitters(breakpoints->processes, fd);
}

int frec__breakpoints_init(struct frec_breakpoints *breakpoints, struct frec_source_set *sources,
			   struct frec_process_table *processes, struct frec_error *reterr)
{
	int r = frec__usdt_create(&breakpoints->usdt, false, reterr);

	if (r)
		return r;
	breakpoints->sources = sources;
	breakpoints->processes = processes;
	sources->declarations->found_sites = found_sites;
	sources->declarations->context = breakpoints;
	return 0;
}

int frec__breakpoints_find(struct frec_breakpoints *breakpoints, struct frec_error *reterr)
{
	if (!breakpoints->usdt)
		return 0;
	return frec__declarations_add_machine(breakpoints->sources->declarations)
		       ? frec__error(reterr, -ENOMEM, "out of memory")
		       : 0;
}

void frec__breakpoints_refresh(struct frec_breakpoints *breakpoints)
{
	struct frec_declarations *declarations;

	if (!breakpoints->usdt)
		return;
	declarations = breakpoints->sources->declarations;
	for (size_t i = 0; i < breakpoints->count; i++) {
		const struct frec_mapped_file *file = &breakpoints->file[i];

		frec__declarations_add_mapping(declarations, file->pid, file->start, file->end,
					       file->path);
		free(file->path);
	}
	breakpoints->count = 0;
	if (breakpoints->missed)
		frec__declarations_add_machine(declarations);
	breakpoints->missed = false;
}

void frec__breakpoints_deinit(struct frec_breakpoints *breakpoints)
{
	frec__usdt_destroy(breakpoints->usdt);
	for (size_t i = 0; i < breakpoints->count; i++)
		free(breakpoints->file[i].path);
	free(breakpoints->file);
	*breakpoints = (struct frec_breakpoints){0};
}
