/* SPDX-License-Identifier: MIT */
/* The report as JSON. */
#ifndef FREC_EXPORT_REPORT_REPORT_JSON_H
#define FREC_EXPORT_REPORT_REPORT_JSON_H

#include "export/read/snapshot.h"
#include "export/read/text.h"
#include "export/timeline/stacks.h"

/* Adds the report as a JSON object without its closing brace, so that members can follow. If
 * `stacks` is NULL, the object has no call stacks. */
void frec__report_json(struct frec_text *text, const struct frec_snapshot *snapshot,
		       struct frec_stacks *stacks);

#endif
