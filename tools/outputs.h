/* SPDX-License-Identifier: MIT */
/* The outputs that `flightrec export` writes in one pass, each with its format. */
#ifndef FREC_TOOLS_OUTPUTS_H
#define FREC_TOOLS_OUTPUTS_H

#include <limits.h>
#include <stdbool.h>

#include "export/export.h"

struct frec_wanted {
	const struct frec_writer *writer;
	const char *path; /* NULL: named after the input */
	bool endpoint;	  /* `path` is the URL of a collector */
	bool base;	  /* `path` is the base of the URLs for logs and traces */
	const struct frec_compression *compression; /* NULL: none */
	char name[PATH_MAX];
	bool is_device; /* a device or a pipe, which is written to and never replaced */
	int device;
	struct frec_output output;
};

struct frec_outputs {
	size_t count;
	struct frec_wanted *wanted;
	struct frec_export_target *targets; /* targets of the open outputs, for frec__export() */
	size_t open;
	/* Set by a -f and a --compress that no -o or --endpoint has followed yet. */
	const struct frec_writer *writer;
	const struct frec_compression *compression;
	/* For all endpoints. */
	const char *headers;
	uint64_t patience; /* how long to retry, in seconds */
};

/* Makes room for `most` outputs; an endpoint can need two. Returns 0 or -ENOMEM. */
int frec__outputs_init(struct frec_outputs *outputs, size_t most);
void frec__outputs_deinit(struct frec_outputs *outputs);

/* Handle -f, --compress, -o and --endpoint. Call them in the order of the command line. The first
 * two return false for an unknown name. */
bool frec__outputs_format(struct frec_outputs *outputs, const char *name);
bool frec__outputs_compress(struct frec_outputs *outputs, const char *name);
void frec__outputs_path(struct frec_outputs *outputs, const char *path);
void frec__outputs_endpoint(struct frec_outputs *outputs, const char *url);

/* Gives every output its format and its name. Returns an exit status; if it is not 0, the reason
 * was printed. */
int frec__outputs_settle(struct frec_outputs *outputs, const char *input, const char *usage);

/* Opens all outputs. Returns 0 or a negative errno. Call frec__outputs_end() afterwards, also on
 * failure. */
int frec__outputs_open(struct frec_outputs *outputs, struct frec_error *reterr);

/* Commits the open outputs or, if `reterr` has an error, discards them. If one cannot be committed,
 * the others still are, and `reterr` has the first error. */
void frec__outputs_end(struct frec_outputs *outputs, struct frec_error *reterr);

#endif
