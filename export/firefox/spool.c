// SPDX-License-Identifier: MIT
// A stream is a chain of blocks, each of which begins with the offset of the next.
#include "export/firefox/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINK sizeof(uint64_t)

static int fail(int error, struct frec_error *reterr)
{
	return frec__error(reterr, -error,
			   "cannot use a temporary file in %s: %s: set TMPDIR to another folder",
			   getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", strerror(error));
}

int frec__spool_init(struct frec_spool *spool, struct frec_error *reterr)
{
	char path[4096];

	*spool = (struct frec_spool){0};
	snprintf(path, sizeof(path), "%s/flightrec-XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	spool->fd = mkostemp(path, O_CLOEXEC);
	if (spool->fd < 0)
		return fail(errno, reterr);
	unlink(path);
	return 0;
}

void frec__spool_deinit(struct frec_spool *spool)
{
	if (spool->fd >= 0)
		close(spool->fd);
	spool->fd = -1;
}

// A block is always read or written in full, even if only a part of it is used.
static int write_block(struct frec_spool *spool, const struct frec_spool_stream *stream,
		       struct frec_error *reterr)
{
	ssize_t n = pwrite(spool->fd, stream->block, FREC_SPOOL_BLOCK, (off_t)stream->current);

	return n == FREC_SPOOL_BLOCK ? 0 : fail(n < 0 ? errno : ENOSPC, reterr);
}

static int read_block(struct frec_spool *spool, struct frec_spool_stream *stream, uint64_t offset,
		      struct frec_error *reterr)
{
	ssize_t n = pread(spool->fd, stream->block, FREC_SPOOL_BLOCK, (off_t)offset);

	stream->current = offset;
	stream->at = LINK;
	return n == FREC_SPOOL_BLOCK ? 0 : fail(n < 0 ? errno : EIO, reterr);
}

static uint64_t take_block(struct frec_spool *spool)
{
	uint64_t offset = spool->end;

	spool->end += FREC_SPOOL_BLOCK;
	return offset;
}

int frec__spool_write(struct frec_spool *spool, struct frec_spool_stream *stream, const void *data,
		      size_t size, struct frec_error *reterr)
{
	const uint8_t *p = data;

	if (!stream->block) {
		stream->block = calloc(1, FREC_SPOOL_BLOCK);
		if (!stream->block)
			return frec__error(reterr, -ENOMEM, "out of memory");
		stream->first = stream->current = take_block(spool);
		stream->at = LINK;
	}
	while (size) {
		size_t room = FREC_SPOOL_BLOCK - stream->at;
		size_t part = size < room ? size : room;

		if (!room) {
			uint64_t next = take_block(spool);
			int r;

			memcpy(stream->block, &next, sizeof(next));
			r = write_block(spool, stream, reterr);
			if (r)
				return r;
			stream->current = next;
			stream->at = LINK;
			continue;
		}
		memcpy(stream->block + stream->at, p, part);
		stream->at += part;
		stream->size += part;
		p += part;
		size -= part;
	}
	return 0;
}

int frec__spool_end(struct frec_spool *spool, struct frec_spool_stream *stream,
		    struct frec_error *reterr)
{
	return stream->block ? write_block(spool, stream, reterr) : 0;
}

int frec__spool_rewind(struct frec_spool *spool, struct frec_spool_stream *stream,
		       struct frec_error *reterr)
{
	stream->left = stream->size;
	return stream->block ? read_block(spool, stream, stream->first, reterr) : 0;
}

int frec__spool_read(struct frec_spool *spool, struct frec_spool_stream *stream, void *data,
		     size_t size, struct frec_error *reterr)
{
	uint8_t *p = data;

	if (size > stream->left)
		return -ENODATA;
	stream->left -= size;
	while (size) {
		size_t room = FREC_SPOOL_BLOCK - stream->at;
		size_t part = size < room ? size : room;

		if (!room) {
			uint64_t next;
			int r;

			memcpy(&next, stream->block, sizeof(next));
			r = read_block(spool, stream, next, reterr);
			if (r)
				return r;
			continue;
		}
		memcpy(p, stream->block + stream->at, part);
		stream->at += part;
		p += part;
		size -= part;
	}
	return 0;
}

void frec__spool_stream_free(struct frec_spool_stream *stream)
{
	free(stream->block);
	stream->block = NULL;
}
