/* SPDX-License-Identifier: MIT */
/*
 * The interface of an output format, and how to add one.
 *
 * A format is one struct frec_writer, in a .c file of its own (or a folder, if it takes more than
 * two files). line.c is a small example, csv.c a larger one.
 *
 * A writer's functions are called from one thread:
 *
 *     begin    once. Allocates the state and writes what comes before the events: a header, the
 *              processes (frec_export.processes) and the sources, which are all known by then.
 *     event    for each event, in order of time, merged over all CPUs and files, filtered, with
 *              its fields decoded in `values`, one for each field of `source`. `shape` says
 *              whether it begins or ends a span, sets counters or continues a flow;
 *              frec__event_stack() returns its call stack. The event is valid only during the
 *              call, but the source, host, process, stack and locations that it points to stay
 *              valid until destroy. Stacks and locations have consecutive numbers (by_id.h).
 *     end      once, if every event was written. Writes what comes after the events, for example
 *              a table of stacks, or the crash (timeline->files[].events.snapshot->crash).
 *     destroy  once, if begin succeeded, whatever failed after it.
 *
 * begin, event and end return 0, or a negative errno with a sentence in `reterr`; on an error, the
 * export stops and the output is discarded. Memory must not grow with the number of events: events
 * that have to wait go to a temporary file (firefox/spool.h), or only the last few are kept
 * (html/html.c). All text must come out valid whatever bytes the snapshot holds;
 * frec__text_utf8 and frec__text_json see to that.
 *
 * To add a format: declare it below, list it in `frec__writers` of export.c and in CMakeLists.txt,
 * and describe it under FORMATS in tools/man/flightrec-export.1 and in the README's table. Tests: a
 * check in tests/host/test_formats.py in which the format's own reader reads the output and every
 * value is compared with the JSON lines. The fuzzer of snapshots runs every writer in
 * frec__writers (tests/data/pipeline.c). To measure the speed of the new format, add it to FORMATS
 * in tests/bench/bench-export.
 */
#ifndef FREC_EXPORT_WRITER_H
#define FREC_EXPORT_WRITER_H

#include "export/output.h"
#include "export/timeline/timeline.h"

/* What begin gets. It stays valid until destroy. */
struct frec_export {
	const struct frec_timeline *timeline; /* all files and hosts */
	/* The next three are of the only host, or, if there are several, of the host whose clock is
	 * the timeline's. The writer must not read records from the snapshot. */
	struct frec_snapshot *snapshot;
	const struct frec_processes *processes;
	const struct frec_filter *filter; /* which of the snapshot's sources are written */
	struct frec_output *output;
	/* csv writes text as it was emitted, even if a spreadsheet would run it as a formula */
	bool raw;
};

struct frec_writer {
	const char *name;	    /* as given to -f */
	const char *what;	    /* what the format is for, in a few words */
	const char *suffix;	    /* of an output file that is named after its input */
	const char *other_suffix;   /* another suffix that selects this format, or NULL */
	enum frec_output_kind kind; /* what kind of output the writer needs */
	bool several_hosts;	    /* its files can hold events of several hosts */
	/* for a format of OTLP messages: the path at which a collector accepts them; else NULL */
	const char *collector_path;
	bool of_stacks; /* the format holds only call stacks: without any, the output is empty */

	/* The functions described at the top of this file. `end` may be NULL. */
	int (*begin)(const struct frec_export *context, void **ret_state,
		     struct frec_error *reterr);
	int (*event)(void *state, const struct frec_event *event, struct frec_error *reterr);
	int (*end)(void *state, struct frec_error *reterr);
	void (*destroy)(void *state);
	/* Returns how many bytes are kept for `end`, in memory or in a temporary file. NULL: what
	 * is kept does not grow with the number of events. */
	uint64_t (*pending)(void *state);
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
