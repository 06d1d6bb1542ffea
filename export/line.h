/* SPDX-License-Identifier: MIT */
/* An event as one line of text for people to read. */
#ifndef FREC_EXPORT_LINE_H
#define FREC_EXPORT_LINE_H

#include "export/timeline/events.h"
#include "export/read/text.h"

struct frec_line_style {
	uint64_t reference; /* the time that is shown as 0 */
	int name_width, event_width;
	int host_width; /* 0: there is only one host, and it is not shown */
	bool colored;	/* with a terminal's escape sequences */
};

/* Makes the columns as wide as the longest names need, within limits. */
void frec__line_style_init(struct frec_line_style *style, const struct frec_snapshot *snapshot,
			   const struct frec_processes *processes);

/* Adds the line without a newline: seconds from the reference, CPU, thread, event, fields, call
 * stack. */
void frec__line_event(struct frec_text *line, const struct frec_line_style *style,
		      const struct frec_event *event);

#endif
