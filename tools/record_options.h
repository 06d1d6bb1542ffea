/* SPDX-License-Identifier: MIT */
/* The options that `run`, `record` and the keeper share. */
#ifndef FREC_TOOLS_RECORD_OPTIONS_H
#define FREC_TOOLS_RECORD_OPTIONS_H

#include "recorder/session.h"
#include "tools/options.h"

#define FREC_RECORD_OPTIONS 12

struct frec_record_options {
	struct frec_session_options session;
	const char *selection[FREC_SELECTIONS_MAX + 1];
	size_t selections;
	struct frec_option table[FREC_RECORD_OPTIONS];
};

/* Fills in the defaults and the table. Parsing the table writes to `options`, which must not
 * move. */
void frec__record_options_init(struct frec_record_options *options);

/* Call this after the table was parsed. If no event was selected, selects every user event;
 * if no size of the rings was given, chooses one (recorder/ring_size.h). */
void frec__record_options_finish(struct frec_record_options *options);

/* Parses a size such as "4M". Returns 0 or -EINVAL. */
int frec__parse_size(const char *text, uint64_t *ret);

#endif
