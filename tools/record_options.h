/* SPDX-License-Identifier: MIT */
/* The options that `run`, `record` and the keeper share. */
#ifndef FREC_TOOLS_RECORD_OPTIONS_H
#define FREC_TOOLS_RECORD_OPTIONS_H

#include "recorder/session.h"
#include "tools/options.h"

#define FREC_RECORD_OPTIONS 14

struct frec_record_options {
	struct frec_session_options session;
	const char *selection[FREC_SELECTIONS_MAX + 1];
	size_t selections;
	struct frec_option table[FREC_RECORD_OPTIONS];
};

/* Fills in the defaults and the table. The table points into `options`, so `options` must not
 * move. */
void frec__record_options_init(struct frec_record_options *options);

/* Call this after the command line was parsed. If no event was selected, selects every user event;
 * if no size of the rings was given, chooses one (recorder/ring_size.h). */
void frec__record_options_finish(struct frec_record_options *options);

/* Parses KEY=VALUE and adds it to `pairs`. Returns 0, or a negative errno with a complaint in
 * `reterr`. */
int frec__parse_pair(struct frec_pairs *pairs, const char *text, struct frec_error *reterr);
/* The longest duration that is accepted: 24 hours, in nanoseconds. */
#define FREC_DURATION_MAX (UINT64_C(24) * 3600 * 1000000000)

/* Parses a duration up to FREC_DURATION_MAX: a whole number with the unit ms, s, min or h, or 0
 * without a unit. *ret is in nanoseconds. Returns 0 or -EINVAL. */
int frec__parse_duration(const char *text, uint64_t *ret);

/* Parses a size such as "4M" into a number of bytes. Returns 0 or -EINVAL. */
int frec__parse_size(const char *text, uint64_t *ret);

#endif
