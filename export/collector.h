/* SPDX-License-Identifier: MIT */
/* Sends OTLP messages to an OpenTelemetry collector instead of a file. */
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
	const char *path; /* where collectors accept such messages: used for a URL without a path */
	/* the URL is for all kinds of messages: `path` is appended to its own path */
	bool base;
	/* headers to send, in the form of OTEL_EXPORTER_OTLP_HEADERS (name=value,...); NULL:
	 * none */
	const char *headers;
	/* seconds for which a busy collector is retried, for each request */
	uint64_t patience;
	/* of request bodies; NULL: none. All collectors accept gzip */
	const struct frec_compression *compression;
};

/* Does not connect yet. Returns 0 or a negative errno. */
int frec__collector_create(struct frec_collector **ret,
			   const struct frec_collector_options *options, struct frec_error *reterr);
void frec__collector_destroy(struct frec_collector *collector);

/* Adds a whole LogsData or a whole TracesData, but never both kinds. Messages are collected into
 * requests. Blocks while a request is sent. */
int frec__collector_add(struct frec_collector *collector, const void *message, size_t size,
			struct frec_error *reterr);

/* Sends what is left. Returns -EBADMSG if the collector accepted all requests but rejected some
 * events. */
int frec__collector_finish(struct frec_collector *collector, struct frec_error *reterr);

#endif
