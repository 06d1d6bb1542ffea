/* SPDX-License-Identifier: MIT */
/*
 * The report of a snapshot: all that the snapshot holds except its events, in words and as JSON.
 * This room turns what export/read and export/timeline found out into sentences:
 *
 *     crash.h, crash_address.h   a death, a trigger, losses: words and sums
 *     stack_text.h               call stacks
 *     last_records.h             copies of the last records, which a report ends with
 *     report_text.h              the whole report, for people
 *     report_json.h              the whole report, for programs
 *
 * Data flows one way: snapshot and stacks in, text out (struct frec_text). Nothing here reads or
 * writes files: `flightrec show` (export/show.c) and the page (export/html) add the events and do
 * the output. All bytes of the snapshot pass through frec__text_plain() or frec__text_json() on
 * their way into a report, so they can do no harm to a terminal or a parser.
 */
#ifndef FREC_EXPORT_REPORT_REPORT_H
#define FREC_EXPORT_REPORT_REPORT_H

#include "export/report/report_json.h"
#include "export/report/report_text.h"

#endif
