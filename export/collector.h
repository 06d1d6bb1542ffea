/* SPDX-License-Identifier: MIT */
/* An OpenTelemetry collector: where OTLP's messages can go instead of a file. */
#ifndef FREC_EXPORT_COLLECTOR_H
#define FREC_EXPORT_COLLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/compress.h"
#include "proto/error.h"

struct frec_collector;

struct frec_collector_options {
	const char *url;  /* http or https */
	const char *path; /* where collectors take such messages: behind a URL without a path */
	/* the URL is one for all kinds of messages: the path is put behind its own */
	bool base;
	/* to send along, as OTEL_EXPORTER_OTLP_HEADERS has them: name=value,...; NULL: none */
	const char *headers;
	/* seconds for which a busy collector is asked again, for each request */
	uint64_t patience;
	/* of requests; NULL: none. Collectors know gzip */
	const struct frec_compression *compression;
};

/* Connects to nobody yet. Returns 0 or a negative errno. */
int frec__collector_create(struct frec_collector **ret,
			   const struct frec_collector_options *options, struct frec_error *reterr);
void frec__collector_destroy(struct frec_collector *collector);

/* Adds a whole LogsData, or a whole TracesData, and then no other kind. Messages go out together, a
 * request at a time. Blocks while one does. */
int frec__collector_add(struct frec_collector *collector, const void *message, size_t size,
			struct frec_error *reterr);

/* Sends what is left. Fails with -EBADMSG where the collector has rejected events, though it took
 * all requests. */
int frec__collector_finish(struct frec_collector *collector, struct frec_error *reterr);

#endif
