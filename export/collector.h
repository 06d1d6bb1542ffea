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
	const char *url; /* http or https */
	/* the path at which collectors accept these messages, used if `url` has none */
	const char *path;
	/* `url` is common to all kinds of messages, so `path` is appended to the path in `url` */
	bool base;
	/* headers to send, as in OTEL_EXPORTER_OTLP_HEADERS (name=value,...), or NULL */
	const char *headers;
	/* for how many seconds each request is retried while the collector is busy */
	uint64_t patience;
	/* how request bodies are compressed; NULL: not at all. All collectors accept gzip */
	const struct frec_compression *compression;
};

/* Prepares to send, but does not connect yet. Returns 0 or a negative errno. */
int frec__collector_create(struct frec_collector **ret,
			   const struct frec_collector_options *options, struct frec_error *reterr);
void frec__collector_destroy(struct frec_collector *collector);

/* Adds a complete LogsData or TracesData message. All messages for a collector must be of the same
 * kind. They are gathered into requests. Blocks while a request is sent. Returns 0 or a negative
 * errno. */
int frec__collector_add(struct frec_collector *collector, const void *message, size_t size,
			struct frec_error *reterr);

/* Sends the messages that have not been sent yet. Returns 0, -EBADMSG if the collector accepted all
 * requests but rejected some events, or another negative errno. */
int frec__collector_finish(struct frec_collector *collector, struct frec_error *reterr);

#endif
