/* SPDX-License-Identifier: MIT */
/* The destination of an export: a file or a folder that appears only once it is complete, a
 * stream such as standard output, or an OpenTelemetry collector. Writes are buffered. */
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
	FREC_OUTPUT_STREAM, /* written from front to back: any descriptor will do */
	FREC_OUTPUT_FILE,   /* can also be changed later: frec__output_patch */
	FREC_OUTPUT_FOLDER, /* a folder of files: frec__output_open_in */
};

struct frec_output {
	enum frec_output_kind kind;
	struct frec_new_file file; /* for FREC_OUTPUT_FOLDER, the folder */
	int stream; /* a descriptor, or -1; output.c closes it only if `in_folder` is set */
	struct frec_output *in_folder; /* the folder output that the file is in; NULL: none */
	uint8_t *buffer;
	size_t used;
	/* bytes before compression, without those in `buffer`; for FREC_OUTPUT_FOLDER, those of
	 * all its files */
	uint64_t written;
	struct frec_collector *collector;	    /* NULL: not a collector */
	const struct frec_compression *compression; /* NULL: none */
	void *compressor;
	struct frec_text compressed;
};

/* Opens a file that appears at `path` on frec__output_commit. Returns 0 or a negative errno, as
 * does every function below that returns an int. */
int frec__output_open(struct frec_output *output, const char *path, struct frec_error *reterr);

/* Opens an output that writes to the open descriptor `fd`, which stays the caller's. */
int frec__output_open_stream(struct frec_output *output, int fd, struct frec_error *reterr);

/* Opens a folder that appears at `path` on commit. Nothing but an empty folder may exist there. */
int frec__output_open_folder(struct frec_output *output, const char *path,
			     struct frec_error *reterr);

/* Opens an output that sends to a collector. Each call of frec__output_write must pass exactly one
 * complete OTLP message. */
int frec__output_open_collector(struct frec_output *output,
				const struct frec_collector_options *options,
				struct frec_error *reterr);

/* Opens a file in the output `folder`, which must outlive `output`. Commit or discard the file
 * before the folder. `name` contains no slash. */
int frec__output_open_in(struct frec_output *output, struct frec_output *folder, const char *name,
			 struct frec_error *reterr);

/* Compresses everything written from now on. Not for folders, nor for files that will be
 * patched. On failure the output is discarded. */
int frec__output_compress(struct frec_output *output, const struct frec_compression *compression,
			  struct frec_error *reterr);

int frec__output_write(struct frec_output *output, const void *data, size_t size,
		       struct frec_error *reterr);

/* Writes a text. Returns -ENOMEM if memory ran out while the text was made. */
int frec__output_text(struct frec_output *output, const struct frec_text *text,
		      struct frec_error *reterr);

/* Returns the number of bytes written so far, which is the offset of the next one. */
uint64_t frec__output_offset(const struct frec_output *output);

/* Overwrites what was written at `offset`. Not for streams or compressed output. */
int frec__output_patch(struct frec_output *output, uint64_t offset, const void *data, size_t size,
		       struct frec_error *reterr);

/* Writes or sends what is left, and gives a file or folder its name. Ends the output, even on
 * failure. */
int frec__output_commit(struct frec_output *output, struct frec_error *reterr);

/* Ends the output and removes its file or folder; a file in a folder is removed with the folder.
 * Harmless after a commit. */
void frec__output_discard(struct frec_output *output);

#endif
