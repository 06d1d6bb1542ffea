/* SPDX-License-Identifier: MIT */
/* Where an export goes: a file or a folder that appears only when it is whole, a stream such as
 * standard output, or an OpenTelemetry collector. Buffered. */
#ifndef FREC_EXPORT_OUTPUT_H
#define FREC_EXPORT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/collector.h"
#include "export/compress.h"
#include "export/read/text.h"
#include "proto/error.h"
#include "proto/new_file.h"

enum frec_output_kind {
	FREC_OUTPUT_STREAM, /* bytes one after the other: any descriptor will do */
	FREC_OUTPUT_FILE,   /* what was written can be changed: frec__output_patch */
	FREC_OUTPUT_FOLDER, /* of files: frec__output_open_in */
};

struct frec_output {
	enum frec_output_kind kind;
	struct frec_new_file file; /* of a folder: the folder */
	int stream;		   /* not ours to close; of a file in a folder: ours */
	bool in_folder;
	uint8_t *buffer;
	size_t used;
	uint64_t written;			    /* bytes, without those in the buffer */
	struct frec_collector *collector;	    /* NULL: a descriptor */
	const struct frec_compression *compression; /* of what leaves the buffer; NULL: none */
	void *compressor;
	struct frec_text compressed;
};

/* A file that will be at `path` after frec__output_commit. Returns 0 or a negative errno. */
int frec__output_open(struct frec_output *output, const char *path, struct frec_error *reterr);

/* An open descriptor, which stays open and stays the caller's. */
int frec__output_open_stream(struct frec_output *output, int fd, struct frec_error *reterr);

/* A folder that will be at `path`, where nothing may be yet but an empty folder. */
int frec__output_open_folder(struct frec_output *output, const char *path,
			     struct frec_error *reterr);

/* A collector: each frec__output_write is a whole message of OTLP. */
int frec__output_open_collector(struct frec_output *output,
				const struct frec_collector_options *options,
				struct frec_error *reterr);

/* A file in such a folder, to be committed or discarded before it. `name` has no slash. */
int frec__output_open_in(struct frec_output *output, const struct frec_output *folder,
			 const char *name, struct frec_error *reterr);

/* From now on what is written comes out compressed. Not for a folder, nor for what will be patched.
 * On failure the output is ended. */
int frec__output_compress(struct frec_output *output, const struct frec_compression *compression,
			  struct frec_error *reterr);

int frec__output_write(struct frec_output *output, const void *data, size_t size,
		       struct frec_error *reterr);

/* All of a text, which may have failed: then -ENOMEM. */
int frec__output_text(struct frec_output *output, const struct frec_text *text,
		      struct frec_error *reterr);

/* Bytes written so far: where the next ones will stand. */
uint64_t frec__output_offset(const struct frec_output *output);

/* Writes over what was written at `offset`, of a file and not of a stream. */
int frec__output_patch(struct frec_output *output, uint64_t offset, const void *data, size_t size,
		       struct frec_error *reterr);

/* Writes what is buffered, and gives a file or folder its name. Ends the output, also when it
 * fails. */
int frec__output_commit(struct frec_output *output, struct frec_error *reterr);

/* Ends the output; a file or folder is removed. Harmless after a commit. */
void frec__output_discard(struct frec_output *output);

#endif
