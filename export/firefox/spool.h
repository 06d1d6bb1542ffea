/* SPDX-License-Identifier: MIT */
/* Many byte streams in one temporary file, for formats that need events thread by thread, although
 * events arrive in order of time. Memory holds one block of each stream. The file has no name. */
#ifndef FREC_EXPORT_FIREFOX_SPOOL_H
#define FREC_EXPORT_FIREFOX_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

/* Larger blocks need fewer system calls. The part of a block that a stream has not used takes no
 * memory, but space in the file. */
#define FREC_SPOOL_BLOCK 16384

struct frec_spool {
	int fd;
	uint64_t end; /* offset of the next new block */
};

struct frec_spool_stream {
	uint64_t first, current; /* offsets of the first and of the current block */
	uint64_t size;		 /* bytes written */
	uint64_t left;		 /* bytes still to be read */
	uint8_t *block;
	size_t at; /* position in the block */
};

/* Creates the file, in $TMPDIR or /tmp. Returns 0 or a negative errno. */
int frec__spool_init(struct frec_spool *spool, struct frec_error *reterr);
void frec__spool_deinit(struct frec_spool *spool);

/* Appends to a stream. Initialise the stream with zeroes before the first write. Returns 0 or a
 * negative errno. */
int frec__spool_write(struct frec_spool *spool, struct frec_spool_stream *stream, const void *data,
		      size_t size, struct frec_error *reterr);

/* After the last write, call frec__spool_end once; then call frec__spool_rewind before each time
 * the stream is read. Both return 0 or a negative errno. */
int frec__spool_end(struct frec_spool *spool, struct frec_spool_stream *stream,
		    struct frec_error *reterr);
int frec__spool_rewind(struct frec_spool *spool, struct frec_spool_stream *stream,
		       struct frec_error *reterr);

/* Reads exactly `size` bytes. Returns 0, -ENODATA if fewer are left, or another negative errno. */
int frec__spool_read(struct frec_spool *spool, struct frec_spool_stream *stream, void *data,
		     size_t size, struct frec_error *reterr);

void frec__spool_stream_free(struct frec_spool_stream *stream);

#endif
