/* SPDX-License-Identifier: MIT */
/*
 * A crash or a trigger in words: everything of the report but the events. `reference` is the time
 * from which others are told. `stacks` may be NULL for JSON, which then has no call stacks.
 */
#ifndef FREC_EXPORT_REPORT_REPORT_H
#define FREC_EXPORT_REPORT_REPORT_H

#include "export/read/snapshot.h"
#include "export/read/text.h"
#include "export/timeline/stacks.h"

void frec__report_json(struct frec_text *text, const struct frec_snapshot *snapshot,
		       struct frec_stacks *stacks);
void frec__report_text(struct frec_text *text, const struct frec_snapshot *snapshot,
		       struct frec_stacks *stacks, uint64_t reference, bool colored);

#endif
