/* SPDX-License-Identifier: MIT */
/* What `flightrec export` is asked to write: the outputs of one pass, each with its format. */
#ifndef FREC_TOOLS_OUTPUTS_H
#define FREC_TOOLS_OUTPUTS_H

#include <limits.h>
#include <stdbool.h>

#include "export/export.h"

struct frec_wanted {
	const struct frec_writer *writer;
	const char *path;			    /* NULL: named after the input */
	bool endpoint;				    /* `path` is the URL of a collector */
	bool base;				    /* of one for logs and traces alike */
	const struct frec_compression *compression; /* NULL: none */
	char name[PATH_MAX];
	bool is_device; /* or a pipe: written to, never replaced */
	int device;
	struct frec_output output;
};

struct frec_outputs {
	size_t count;
	struct frec_wanted *wanted;
	struct frec_export_target *targets; /* of the open ones */
	size_t open;
	/* Of a -f and a --compress whose -o has not come yet. */
	const struct frec_writer *writer;
	const struct frec_compression *compression;
	/* Of all endpoints. */
	const char *headers;
	uint64_t patience; /* s */
};

/* Makes room for as many as there can be: an endpoint can be two. Returns 0 or -ENOMEM. */
int frec__outputs_init(struct frec_outputs *outputs, size_t most);
void frec__outputs_deinit(struct frec_outputs *outputs);

/* -f, --compress, -o and --endpoint, in the order in which they are given. A name that is not known
 * returns false. */
bool frec__outputs_format(struct frec_outputs *outputs, const char *name);
bool frec__outputs_compress(struct frec_outputs *outputs, const char *name);
void frec__outputs_path(struct frec_outputs *outputs, const char *path);
void frec__outputs_endpoint(struct frec_outputs *outputs, const char *url);

/* Gives every output its format and its name. Returns an exit status, and has told why. */
int frec__outputs_settle(struct frec_outputs *outputs, const char *input, const char *usage);

/* Opens them all. To be ended by frec__outputs_end, also when it fails. */
int frec__outputs_open(struct frec_outputs *outputs, struct frec_error *reterr);

/*
 * Commits those that are open or, where `reterr` tells of an error, discards them. One that cannot
 * be committed leaves the others alone; `reterr` tells of the first.
 */
void frec__outputs_end(struct frec_outputs *outputs, struct frec_error *reterr);

#endif
