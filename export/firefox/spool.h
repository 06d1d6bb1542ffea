/* SPDX-License-Identifier: MIT */
/* Many streams of bytes in one temporary file, for formats that want events thread by thread while
 * they come by time. Memory holds one block of each stream; the file has no name. */
#ifndef FREC_EXPORT_FIREFOX_SPOOL_H
#define FREC_EXPORT_FIREFOX_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

#define FREC_SPOOL_BLOCK 4096

struct frec_spool {
	int fd;
	uint64_t end; /* where the next block will lie */
};

struct frec_spool_stream {
	uint64_t first, current; /* offsets of blocks */
	uint64_t size;		 /* bytes written */
	uint64_t left;		 /* of them, to be read */
	uint8_t *block;
	size_t at; /* in the block */
};

/* Returns 0 or a negative errno. */
int frec__spool_init(struct frec_spool *spool, struct frec_error *reterr);
void frec__spool_deinit(struct frec_spool *spool);

/* A stream starts with zeroes. */
int frec__spool_write(struct frec_spool *spool, struct frec_spool_stream *stream, const void *data,
		      size_t size, struct frec_error *reterr);

/* Once all is written, then as often as it is to be read: to the stream's beginning. */
int frec__spool_end(struct frec_spool *spool, struct frec_spool_stream *stream,
		    struct frec_error *reterr);
int frec__spool_rewind(struct frec_spool *spool, struct frec_spool_stream *stream,
		       struct frec_error *reterr);

/* Reads exactly `size` bytes. -ENODATA at the end. */
int frec__spool_read(struct frec_spool *spool, struct frec_spool_stream *stream, void *data,
		     size_t size, struct frec_error *reterr);

void frec__spool_stream_free(struct frec_spool_stream *stream);

#endif
