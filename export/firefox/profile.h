/* SPDX-License-Identifier: MIT */
/* A Firefox profile: firefox.c collects the events by thread, profile.c writes them at the end. */
#ifndef FREC_EXPORT_FIREFOX_PROFILE_H
#define FREC_EXPORT_FIREFOX_PROFILE_H

#include "export/firefox/tables.h"
#include "export/made_texts.h"
#include "export/firefox/spool.h"
#include "export/writer.h"

struct frec_firefox_thread {
	const struct frec_host *host;
	uint64_t key; /* pid << 32 | tid */
	const struct frec_process_entry *who;
	uint64_t markers, samples, first, last;
	struct frec_spool_stream rows, data; /* data: of all markers, with a comma after each */
};

struct frec_firefox_row {
	/* equal, except in the row of an event that ends a span: there, `begin` is the time at
	 * which the span began */
	uint64_t begin, time;
	uint32_t name;
	uint32_t category;
	uint32_t stack; /* number of the stack plus 1; 0: not a sample */
};

struct frec_firefox {
	const struct frec_export *context;
	uint64_t base; /* the profile's times are relative to this */
	struct frec_spool spool;
	struct frec_firefox_tables tables;
	uint32_t **names; /* by host and source: number of the markers' name */
	uint32_t *span_names;
	uint64_t samples;
	struct frec_made_texts *texts;	      /* keys of markers, by index of the host */
	struct frec_firefox_thread **threads; /* sorted by host and key */
	size_t count;
	struct frec_text text, data;
};

/* Adds the three parts, joined, as one JSON string. */
void frec__firefox_add_key(struct frec_text *text, const char *prefix, const char *name,
			   const char *suffix);

/* Writes the profile, after all events have been collected. Returns 0 or a negative errno. */
int frec__firefox_write(struct frec_firefox *firefox, struct frec_error *reterr);

#endif
