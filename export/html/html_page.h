/* SPDX-License-Identifier: MIT */
/* Writes the page from the events that html.c has kept. */
#ifndef FREC_EXPORT_HTML_HTML_PAGE_H
#define FREC_EXPORT_HTML_HTML_PAGE_H

#include "export/writer.h"

struct frec_html_event {
	uint64_t number; /* position in the order of events */
	uint64_t time;	 /* on the clock of the timeline */
	uint32_t cpu, pid, tid;
	const struct frec_process_entry *who; /* NULL: unknown */
	const struct frec_host *host;
	size_t source_index;		     /* in host->snapshot */
	const struct frec_call_stack *stack; /* or NULL */
	/* JSON: the values as an array, followed by an object with notes if there are any */
	char *text;
	size_t size;
};

struct frec_html_page {
	const struct frec_export *context;
	struct frec_html_event **events; /* in the order in which they came */
	size_t count;
	/* how many older events are left out, of the process that died and of all others */
	uint64_t left_out_dead, left_out_others;
};

/* Returns the file whose report the page shows: the first with a death, else the first. If several
 * files of a host have a death, the host's joined snapshot has that of the first of them, so the
 * report is of the same death. */
const struct frec_timeline_file *frec__html_file(const struct frec_timeline *timeline);

int frec__html_write(const struct frec_html_page *page, struct frec_error *reterr);

#endif
