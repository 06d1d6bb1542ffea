/* SPDX-License-Identifier: MIT */
/* What an output format implements. */
#ifndef FREC_EXPORT_WRITER_H
#define FREC_EXPORT_WRITER_H

#include "export/output.h"
#include "export/timeline/timeline.h"

/* What a writer is given: the same for every event, and outlives the writer. */
struct frec_export {
	const struct frec_timeline *timeline; /* its files and hosts */
	/* Of the one host; for a writer of several hosts, of the one whose clock is the timeline's.
	 * Nobody may read records from the snapshot. */
	struct frec_snapshot *snapshot;
	const struct frec_processes *processes;
	const struct frec_filter *filter; /* which of the snapshot's sources are written */
	struct frec_output *output;
};

struct frec_writer {
	const char *name;	    /* as after -f */
	const char *what;	    /* what it is for, in a few words */
	const char *suffix;	    /* of a file named after its input */
	const char *other_suffix;   /* also taken for this format, or NULL */
	enum frec_output_kind kind; /* FREC_OUTPUT_STREAM: written from front to end */
	bool several_hosts;	    /* it can tell events of different hosts apart */
	/* it writes messages of OTLP, each whole, which a collector takes here; NULL: it does
	 * not */
	const char *collector_path;
	bool of_stacks; /* it holds call stacks alone: without any it is empty */

	/* Each returns 0 or a negative errno. `end` (NULL: nothing to do) is called after the last
	 * event, `destroy` in any case after a begin that succeeded. */
	int (*begin)(const struct frec_export *context, void **ret_state,
		     struct frec_error *reterr);
	int (*event)(void *state, const struct frec_event *event, struct frec_error *reterr);
	int (*end)(void *state, struct frec_error *reterr);
	void (*destroy)(void *state);
};

extern const struct frec_writer frec__writer_perfetto;
extern const struct frec_writer frec__writer_json;
extern const struct frec_writer frec__writer_csv;
extern const struct frec_writer frec__writer_text;
extern const struct frec_writer frec__writer_chrome;
extern const struct frec_writer frec__writer_otlp;
extern const struct frec_writer frec__writer_otlp_traces;
extern const struct frec_writer frec__writer_ctf;
extern const struct frec_writer frec__writer_perf;
extern const struct frec_writer frec__writer_firefox;
extern const struct frec_writer frec__writer_html;
extern const struct frec_writer frec__writer_folded;
extern const struct frec_writer frec__writer_pprof;

#endif
