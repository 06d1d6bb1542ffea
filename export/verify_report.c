// SPDX-License-Identifier: MIT
// Writes what `flightrec verify` finds.
#include "export/verify_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// Writes report->line, unless an earlier line could not be written.
static void write_line(struct frec_verify_report *report)
{
	if (!report->error)
		report->error = frec__output_text(report->output, &report->line, report->reterr);
	frec__text_clear(&report->line);
}

void frec__verify_report_begin(struct frec_verify_report *report)
{
	if (!report->json)
		return;
	frec__text_puts(&report->line, "{\"file\":");
	frec__text_json_puts(&report->line, report->snapshot->name);
	frec__text_puts(&report->line, ",\"problems\":[");
	write_line(report);
}

void frec__verify_problem(struct frec_verify_report *report, const char *format, ...)
{
	struct frec_text *line = &report->line;
	char sentence[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	if (report->json) {
		frec__text_puts(line, report->problems ? ",\n" : "\n");
		frec__text_json_puts(line, sentence);
	} else {
		frec__text_plain(line, sentence, strlen(sentence));
		frec__text_puts(line, "\n");
	}
	report->problems++;
	write_line(report);
}

void frec__verify_report_end(struct frec_verify_report *report, uint64_t records)
{
	const struct frec_snapshot *snapshot = report->snapshot;
	struct frec_text *line = &report->line;

	if (report->json) {
		frec__text_printf(
			line, "],\"ok\":%s,\"parts\":%" PRIu64 ",\"records\":%" PRIu64 "}\n",
			report->problems ? "false" : "true", snapshot->part_count, records);
	} else {
		frec__text_plain(line, snapshot->name, strlen(snapshot->name));
		frec__text_printf(line,
				  ": %" PRIu64 " records of %zu sources on %zu CPUs: ", records,
				  snapshot->source_order_count, snapshot->cpu_count);
		if (report->problems)
			frec__text_printf(line, "%" PRIu64 " problems\n", report->problems);
		else
			frec__text_puts(line, "checksums, counts, coverage and loss agree\n");
	}
	write_line(report);
	frec__text_free(line);
}
