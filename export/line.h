/* SPDX-License-Identifier: MIT */
/* An event as one line of text for people to read. */
#ifndef FREC_EXPORT_LINE_H
#define FREC_EXPORT_LINE_H

#include "export/made_texts.h"
#include "export/timeline/events.h"

/* Belongs to one host, and must stay where it is after its first line. */
struct frec_line_style {
	uint64_t reference; /* the time that is shown as 0 */
	int name_width, event_width;
	int host_width; /* 0: there is only one host, and it is not shown */
	bool colored;	/* with a terminal's escape sequences */
	struct frec_made_texts texts;
};

/* Makes the columns as wide as the longest names need, within limits. The caller may change the
 * style until its first line, and frees it. The snapshot must outlive it. */
void frec__line_style_init(struct frec_line_style *style, const struct frec_snapshot *snapshot,
			   const struct frec_processes *processes);
void frec__line_style_deinit(struct frec_line_style *style);

/* Adds the line without a newline: seconds from the reference, CPU, thread, event, fields, call
 * stack. */
void frec__line_event(struct frec_text *line, struct frec_line_style *style,
		      const struct frec_event *event);

#endif
