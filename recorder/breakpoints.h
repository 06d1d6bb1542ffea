/* SPDX-License-Identifier: MIT */
/*
 * The usdt transport: records the events of services with breakpoints at the events' sites. Finds
 * the files that have sites, at the start and whenever files are mapped, and sets a breakpoint on
 * each site of a selected event.
 */
#ifndef FREC_RECORDER_BREAKPOINTS_H
#define FREC_RECORDER_BREAKPOINTS_H

#include "recorder/processes/processes.h"
#include "recorder/source_set.h"

struct frec_mapped_file;
struct frec_usdt;

struct frec_breakpoints {
	struct frec_source_set *sources; /* outlives this structure, as does the next */
	struct frec_process_table *processes;
	struct frec_usdt *usdt; /* NULL: another transport is in use */
	uint32_t slots;		/* the number of slots of `usdt` in use */
	size_t count;		/* mapped files that have not been read yet */
	struct frec_mapped_file *file;
	bool missed;	       /* there was no room to remember a mapped file */
	bool reported;	       /* an event was reported for which there was no slot, */
	uint32_t reported_uid; /* and it was this user's */
};

/*
 * Loads the BPF program that a breakpoint runs. From then on, whenever declarations of `sources`
 * are read from a file, the sites of selected events in that file get breakpoints, and the files of
 * the processes in `processes` that map it are held (held_files.h). Returns 0 or a negative errno
 * with nothing changed.
 */
int frec__breakpoints_init(struct frec_breakpoints *breakpoints, struct frec_source_set *sources,
			   struct frec_process_table *processes, struct frec_error *reterr);

/* Sets breakpoints in the programs that are running now. Does nothing if another transport is in
 * use. Returns 0 or a negative errno. */
int frec__breakpoints_find(struct frec_breakpoints *breakpoints, struct frec_error *reterr);

/* Remembers that a process mapped a file. May be called while a snapshot is written. */
void frec__breakpoints_mapped(struct frec_breakpoints *breakpoints, uint32_t pid,
			      const struct frec_mapping *map);

/* Reads the files that were mapped since the last call. Does nothing if another transport is in
 * use. */
void frec__breakpoints_refresh(struct frec_breakpoints *breakpoints);

void frec__breakpoints_deinit(struct frec_breakpoints *breakpoints);

#endif
