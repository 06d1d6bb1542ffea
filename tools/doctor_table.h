/* SPDX-License-Identifier: MIT */
/* What doctor found, as a table for people and as JSON for machines. */
#ifndef FREC_TOOLS_DOCTOR_TABLE_H
#define FREC_TOOLS_DOCTOR_TABLE_H

#include "export/read/text.h"
#include "recorder/doctor/probes.h"

/* `width`: columns of the terminal; 0: a line may be as long as it is. */
void frec__doctor_table(struct frec_text *text, const struct frec_probe_result *results,
			unsigned int width, bool colored);

/* A line for each capability and one for the sum. */
void frec__doctor_json(struct frec_text *text, const struct frec_probe_result *results);

#endif
