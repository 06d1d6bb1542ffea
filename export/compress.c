// SPDX-License-Identifier: MIT
// gzip, which everything reads, and zstd, which is several times as fast; both at their default
// level.
#include "export/compress.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "proto/cleanup.h"

// The output grows by this much at a time.
#define STEP (64u << 10)
// 15 selects zlib's largest window; adding 16 makes zlib write a gzip header.
#define GZIP_WINDOW (15 + 16)

static void *gzip_create(void)
{
	FREC_FREE z_stream *stream = calloc(1, sizeof(*stream));

	if (!stream || deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8,
				    Z_DEFAULT_STRATEGY) != Z_OK)
		return NULL;
	return FREC_TAKE_PTR(stream);
}

static bool gzip_add(void *state, const void *data, size_t size, bool last, struct frec_text *out)
{
	z_stream *stream = state;
	const uint8_t *p = data;

	for (;;) {
		uInt piece = size < STEP ? (uInt)size : STEP;
		int flush = last && piece == size ? Z_FINISH : Z_NO_FLUSH;

		stream->next_in = (Bytef *)p;
		stream->avail_in = piece;
		do {
			if (!frec__text_grow(out, STEP))
				return false;
			stream->next_out = (Bytef *)out->data + out->size;
			stream->avail_out = STEP;
			if (deflate(stream, flush) == Z_STREAM_ERROR)
				return false;
			out->size += STEP - stream->avail_out;
		} while (!stream->avail_out);
		if (piece == size)
			return true;
		p += piece;
		size -= piece;
	}
}

static void gzip_destroy(void *state)
{
	if (state)
		deflateEnd(state);
	free(state);
}

static void *zstd_create(void)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();

	// A checksum lets `zstd -t` detect damage.
	if (context)
		ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	return context;
}

static bool zstd_add(void *state, const void *data, size_t size, bool last, struct frec_text *out)
{
	ZSTD_inBuffer in = {data, size, 0};
	size_t left;

	do {
		ZSTD_outBuffer to = {.size = STEP};

		if (!frec__text_grow(out, STEP))
			return false;
		to.dst = out->data + out->size;
		left = ZSTD_compressStream2(state, &to, &in, last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return false;
		out->size += to.pos;
	} while (last ? left : in.pos < in.size);
	return true;
}

static void zstd_destroy(void *state)
{
	ZSTD_freeCCtx(state);
}

static const struct frec_compression compress_gzip = {"gzip", ".gz", gzip_create, gzip_add,
						      gzip_destroy};
static const struct frec_compression compress_zstd = {"zstd", ".zst", zstd_create, zstd_add,
						      zstd_destroy};

const struct frec_compression *const frec__compressions[] = {&compress_gzip, &compress_zstd, NULL};

const struct frec_compression *frec__compression_find(const char *name)
{
	for (size_t i = 0; frec__compressions[i]; i++) {
		if (!strcmp(frec__compressions[i]->name, name))
			return frec__compressions[i];
	}
	return NULL;
}

const struct frec_compression *frec__compression_for_path(const char *path)
{
	size_t length = strlen(path);

	for (size_t i = 0; frec__compressions[i]; i++) {
		size_t end = strlen(frec__compressions[i]->suffix);

		if (length > end && !strcmp(path + length - end, frec__compressions[i]->suffix))
			return frec__compressions[i];
	}
	return NULL;
}
