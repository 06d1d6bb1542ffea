/* SPDX-License-Identifier: MIT */
/* The output of `flightrec verify`: a line for each problem and a summary, or one JSON object. */
#ifndef FREC_EXPORT_VERIFY_REPORT_H
#define FREC_EXPORT_VERIFY_REPORT_H

#include "export/output.h"
#include "export/read/snapshot.h"
#include "export/read/text.h"

/* Before frec__verify_report_begin, set the first four members, and the others to zeroes. */
struct frec_verify_report {
	const struct frec_snapshot *snapshot;
	struct frec_output *output;
	struct frec_error *reterr;
	bool json;
	uint64_t problems;
	int error; /* 0, or the first failure to write */
	struct frec_text line;
};

void frec__verify_report_begin(struct frec_verify_report *report);

/* Counts a problem and writes a sentence that describes it. */
__attribute__((format(printf, 2, 3))) void frec__verify_problem(struct frec_verify_report *report,
								const char *format, ...);

/* Writes the summary and frees the report's memory. */
void frec__verify_report_end(struct frec_verify_report *report, uint64_t records);

#endif
