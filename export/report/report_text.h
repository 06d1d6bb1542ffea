/* SPDX-License-Identifier: MIT */
/* The report for people. */
#ifndef FREC_EXPORT_REPORT_REPORT_TEXT_H
#define FREC_EXPORT_REPORT_REPORT_TEXT_H

#include "export/read/snapshot.h"
#include "export/read/text.h"
#include "export/timeline/stacks.h"

/* Adds the report as lines of text. Times are relative to `reference` (CLOCK_MONOTONIC). */
void frec__report_text(struct frec_text *text, const struct frec_snapshot *snapshot,
		       struct frec_stacks *stacks, uint64_t reference, bool colored);

#endif
