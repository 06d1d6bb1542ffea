/* SPDX-License-Identifier: MIT */
/*
 * Converts snapshots to other formats, event by event, so that memory does not grow with the file.
 * The files of this folder fall into three groups:
 *
 *	writers   one struct frec_writer for each format (writer.h says how to add one): json, csv,
 *		  line, chrome, folded, pprof and ctf here, the others in folders of their own:
 *		  perfetto/, otlp/, perf/, firefox/ and html/
 *	output    where the bytes go: output, compress, collector, http
 *	reports   show (the crash report) and verify (whether a snapshot holds what it claims)
 *
 * Data flows one way: snapshot files -> timeline (events merged, decoded, filtered;
 * export/timeline/) -> frec__export, the loop -> each writer -> its output. Helpers that several
 * formats share: arena, strings, stack_tree, stack_counts, by_id, recent, identifiers, packed,
 * pack, made_texts.
 *
 * An output appears under its name only after frec__output_commit, so a failed export leaves no
 * half-written file.
 */
#ifndef FREC_EXPORT_EXPORT_H
#define FREC_EXPORT_EXPORT_H

#include "export/timeline/filter.h"
#include "export/output.h"
#include "export/read/snapshot.h"
#include "export/writer.h"

struct frec_export_target {
	const struct frec_writer *writer;
	struct frec_output *output; /* open, and of the kind that the writer requires */
};

struct frec_export_job {
	struct frec_snapshot *const *snapshots;
	size_t snapshot_count;
	const struct frec_export_target *targets;
	size_t target_count;
	const struct frec_filter_options *filter; /* NULL: everything */
	/* which events are spans, counters and so on; NULL: only those whose names imply it */
	const struct frec_shape_rules *rules;
	/* where to find program files; NULL: at the paths from which they ran */
	const struct frec_unwinder_options *symbols;
	bool raw; /* as in struct frec_export (writer.h) */
	/* If not NULL, called once every few dozen events, with how many bytes of the snapshots'
	 * records have been read, and how many there are in all. */
	void (*progress)(void *data, uint64_t done, uint64_t total);
	void *progress_data;
};

/*
 * Writes the events of all snapshots to all targets in one pass. Returns 0, or a negative errno if
 * nothing useful was written. If only a part of a snapshot can be read, writes that part, returns 0
 * and sets *ret_warning (code != 0) to what is missing and why. The caller commits the outputs.
 */
int frec__export(const struct frec_export_job *job, struct frec_error *ret_warning,
		 struct frec_error *reterr);

/* All writers, terminated by NULL. The first is the default. */
extern const struct frec_writer *const frec__writers[];

/* Returns the writer with this name, or NULL. */
const struct frec_writer *frec__writer_find(const char *name);

/* Returns the writer whose suffix `path` ends in, not counting the suffix of a compression, or
 * NULL. */
const struct frec_writer *frec__writer_for_path(const char *path);

#endif
