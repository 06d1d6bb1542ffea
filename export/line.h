/* SPDX-License-Identifier: MIT */
/* An event as one line of text for people. */
#ifndef FREC_EXPORT_LINE_H
#define FREC_EXPORT_LINE_H

#include "export/timeline/events.h"
#include "export/read/text.h"

struct frec_line_style {
	uint64_t reference; /* times are relative to this */
	int name_width, event_width;
	int host_width; /* 0: there is one host, which is not shown */
	bool colored;	/* for a terminal */
};

/* Makes the columns as wide as the longest names need. */
void frec__line_style_init(struct frec_line_style *style, const struct frec_snapshot *snapshot,
			   const struct frec_processes *processes);

/* Adds the line without a newline: seconds from the reference, CPU, thread, event, fields. */
void frec__line_event(struct frec_text *line, const struct frec_line_style *style,
		      const struct frec_event *event);

#endif
