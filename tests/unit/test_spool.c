// SPDX-License-Identifier: MIT
// Proves that the streams of a spool stay separate and are read back complete, however their blocks
// are interleaved.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "export/firefox/spool.h"

#define STREAMS 7
#define ROUNDS 500

static uint8_t expected(size_t stream, size_t i)
{
	return (uint8_t)(31 * stream + i + i / 251);
}

static void streams_come_back(void **state)
{
	struct frec_spool_stream streams[STREAMS] = {0};
	size_t written[STREAMS] = {0};
	uint8_t bytes[10000], more;
	struct frec_spool spool;

	(void)state;
	assert_int_equal(frec__spool_init(&spool, NULL), 0);
	for (size_t round = 0; round < ROUNDS; round++) {
		size_t which = round * 5 % STREAMS, size = round * round % sizeof(bytes);

		for (size_t i = 0; i < size; i++)
			bytes[i] = expected(which, written[which] + i);
		assert_int_equal(frec__spool_write(&spool, &streams[which], bytes, size, NULL), 0);
		written[which] += size;
	}
	for (size_t which = 0; which < STREAMS; which++)
		assert_int_equal(frec__spool_end(&spool, &streams[which], NULL), 0);
	for (size_t which = 0; which < 2 * STREAMS; which++) { // each twice
		struct frec_spool_stream *stream = &streams[which % STREAMS];
		size_t at = 0, left = written[which % STREAMS];

		assert_true(left > 3 * FREC_SPOOL_BLOCK);
		assert_int_equal(frec__spool_rewind(&spool, stream, NULL), 0);
		while (left) {
			size_t size = left < 777 ? left : 777;

			assert_int_equal(frec__spool_read(&spool, stream, bytes, size, NULL), 0);
			for (size_t i = 0; i < size; i++)
				assert_int_equal(bytes[i], expected(which % STREAMS, at + i));
			at += size;
			left -= size;
		}
		assert_int_equal(frec__spool_read(&spool, stream, &more, 1, NULL), -ENODATA);
	}
	for (size_t which = 0; which < STREAMS; which++)
		frec__spool_stream_free(&streams[which]);
	frec__spool_deinit(&spool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(streams_come_back)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
