/* SPDX-License-Identifier: MIT */
/* The results of doctor, as a table for people and as JSON for machines. */
#ifndef FREC_TOOLS_DOCTOR_TABLE_H
#define FREC_TOOLS_DOCTOR_TABLE_H

#include "export/read/text.h"
#include "recorder/doctor/probes.h"

/* Adds the table. `width` is that of the terminal in columns; 0: lines are not wrapped. */
void frec__doctor_table(struct frec_text *text, const struct frec_probe_result *results,
			unsigned int width, bool colored);

/* Adds one line with a JSON object for each capability, and one for the overall result. */
void frec__doctor_json(struct frec_text *text, const struct frec_probe_result *results);

#endif
