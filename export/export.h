/* SPDX-License-Identifier: MIT */
/* Turns a snapshot into other formats, event by event: memory does not grow with the file. */
#ifndef FREC_EXPORT_EXPORT_H
#define FREC_EXPORT_EXPORT_H

#include "export/timeline/filter.h"
#include "export/output.h"
#include "export/read/snapshot.h"
#include "export/writer.h"

struct frec_export_target {
	const struct frec_writer *writer;
	struct frec_output *output; /* open, and of a kind that the writer can write to */
};

struct frec_export_options {
	const struct frec_filter_options *filter; /* NULL: everything */
	const struct frec_shape_rules *rules;	  /* what events mean; NULL: what their names say */
	/* where programs are looked for; NULL: where they ran */
	const struct frec_unwinder_options *symbols;
	/* Called after each event, when not NULL, with bytes of the snapshot done and in all. */
	void (*progress)(void *data, uint64_t done, uint64_t total);
	void *progress_data;
};

/*
 * Writes the events of all snapshots to all targets in one pass. Returns 0 or a negative errno when
 * nothing of use was written. Where only a part of the snapshot could be read, that part is
 * written, 0 returned, and *ret_trouble (code != 0) says what is missing and why. `options` may be
 * NULL. Does not commit the outputs.
 */
int frec__export(struct frec_snapshot *const *snapshots, size_t snapshot_count,
		 const struct frec_export_target *targets, size_t count,
		 const struct frec_export_options *options, struct frec_error *ret_trouble,
		 struct frec_error *reterr);

/* All writers, ended by NULL; the first is the one for who names none. */
extern const struct frec_writer *const frec__writers[];

/* The writer of this name, or NULL. */
const struct frec_writer *frec__writer_find(const char *name);

/* The writer whose suffix `path` ends in, that of a compression aside, or NULL. */
const struct frec_writer *frec__writer_for_path(const char *path);

#endif
