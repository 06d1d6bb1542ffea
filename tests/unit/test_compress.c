// SPDX-License-Identifier: MIT
// Proves that data survives compression and decompression, in pieces of every size, even if it
// cannot be made smaller.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "export/compress.h"

#define SIZE (1u << 20)

static void unpack(const struct frec_compression *compression, const struct frec_text *packed,
		   uint8_t *ret)
{
	if (!strcmp(compression->name, "gzip")) {
		z_stream stream = {.next_in = (Bytef *)packed->data,
				   .avail_in = (uInt)packed->size,
				   .next_out = ret,
				   .avail_out = SIZE};

		assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
		assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
		assert_int_equal(stream.total_out, SIZE);
		assert_int_equal(stream.avail_in, 0);
		inflateEnd(&stream);
	} else {
		// The compressed data does not contain the total size, so decompress it as a
		// stream.
		ZSTD_DCtx *context = ZSTD_createDCtx();
		ZSTD_inBuffer in = {packed->data, packed->size, 0};
		ZSTD_outBuffer out = {ret, SIZE, 0};

		assert_int_equal(ZSTD_decompressStream(context, &out, &in), 0);
		assert_int_equal(out.pos, SIZE);
		assert_int_equal(in.pos, packed->size);
		ZSTD_freeDCtx(context);
	}
}

static void comes_out(const uint8_t *data, size_t piece)
{
	uint8_t *back = malloc(SIZE);

	assert_non_null(back);
	for (size_t i = 0; frec__compressions[i]; i++) {
		const struct frec_compression *compression = frec__compressions[i];
		void *state = compression->create();
		struct frec_text packed = {0};

		assert_non_null(state);
		for (size_t at = 0; at < SIZE; at += piece) {
			size_t size = SIZE - at < piece ? SIZE - at : piece;

			assert_true(compression->add(state, data + at, size, false, &packed));
		}
		assert_true(compression->add(state, NULL, 0, true, &packed));
		compression->destroy(state);
		memset(back, 0, SIZE);
		unpack(compression, &packed, back);
		assert_memory_equal(back, data, SIZE);
		frec__text_free(&packed);
	}
	free(back);
}

static void pieces_come_out(void **state)
{
	static const size_t pieces[] = {SIZE, SIZE - 1, 300001, 65536, 65535, 4096, 977};
	uint8_t *data = calloc(SIZE, 1);

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		comes_out(data, pieces[i]);
	srandom(1);
	for (size_t i = 0; i < SIZE; i++)
		data[i] = (uint8_t)random();
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		comes_out(data, pieces[i]);
	free(data);
}

static void names_are_found(void **state)
{
	(void)state;
	assert_string_equal(frec__compression_for_path("a.json.gz")->name, "gzip");
	assert_string_equal(frec__compression_for_path("/b/.c.zst")->name, "zstd");
	assert_null(frec__compression_for_path("gz"));
	assert_null(frec__compression_for_path(".gz"));
	assert_null(frec__compression_find("lzma"));
	assert_ptr_equal(frec__compression_find("zstd"), frec__compression_for_path("x.zst"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_come_out),
		cmocka_unit_test(names_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
