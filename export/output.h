/* SPDX-License-Identifier: MIT */
/* Where an export goes: a file that appears only when it is whole, or a stream such as standard
 * output. Buffered. */
#ifndef FREC_EXPORT_OUTPUT_H
#define FREC_EXPORT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"
#include "proto/new_file.h"

struct frec_output {
	struct frec_new_file file;
	bool is_stream;
	int stream; /* not ours to close */
	uint8_t *buffer;
	size_t used;
};

/* A file that will be at `path` after frec__output_commit. Returns 0 or a negative errno. */
int frec__output_open(struct frec_output *output, const char *path, struct frec_error *reterr);

/* An open descriptor, which stays open and stays the caller's. */
int frec__output_open_stream(struct frec_output *output, int fd, struct frec_error *reterr);

int frec__output_write(struct frec_output *output, const void *data, size_t size,
		       struct frec_error *reterr);

/* Writes what is buffered, and gives a file its name. Ends the output, also when it fails. */
int frec__output_commit(struct frec_output *output, struct frec_error *reterr);

/* Ends the output; a file is removed. Harmless after a commit. */
void frec__output_discard(struct frec_output *output);

#endif
