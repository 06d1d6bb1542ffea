// SPDX-License-Identifier: MIT
// Proves that the framing of .frec holds: checksums match RFC 3720, and every cut and every flipped
// bit is detected.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flightrec.pb-c.h"
#include "proto/crc32c.h"
#include "proto/part.h"

static void pack_header(uint8_t **data, size_t *size)
{
	Flightrec__Header header = FLIGHTREC__HEADER__INIT;

	header.magic.data = (uint8_t *)"FREC";
	header.magic.len = 4;
	header.version = 1;
	header.writer = "test";
	assert_int_equal(frec__part_pack(FREC_PART_HEADER, &header.base, data, size), 0);
}

static void crc_known_values(void **state)
{
	uint8_t bytes[32] = {0};

	(void)state;
	assert_int_equal(frec__crc32c(0, "123456789", 9), 0xe3069283);
	// RFC 3720, B.4: 32 bytes of zeroes
	assert_int_equal(frec__crc32c(0, bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, 32);
	assert_int_equal(frec__crc32c(0, bytes, 32), 0x62a8ab43); // and of ones
	assert_int_equal(frec__crc32c(frec__crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}

static void round_trip(void **state)
{
	struct frec_part_view view;
	Flightrec__Snapshot *whole;
	uint8_t *data;
	size_t size;

	(void)state;
	pack_header(&data, &size);
	assert_int_equal(frec__part_next(data, size, &view), 0);
	assert_int_equal(view.field, FREC_PART_HEADER);
	assert_int_equal(view.size, size);
	// A plain protobuf reader reads the same content, including the checksum.
	whole = flightrec__snapshot__unpack(NULL, size, data);
	assert_non_null(whole);
	assert_int_equal(whole->header->version, 1);
	assert_int_equal(whole->header->crc32c,
			 frec__crc32c(frec__crc32c(0, "\x0a", 1), view.body, view.body_size));
	assert_int_equal(whole->header->crc32c, view.crc);
	flightrec__snapshot__free_unpacked(whole, NULL);
	free(data);
}

static void every_cut_is_seen(void **state)
{
	struct frec_part_view view;
	uint8_t *data;
	size_t size;

	(void)state;
	pack_header(&data, &size);
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(frec__part_next(data, cut, &view), -EAGAIN);
	free(data);
}

static void every_flipped_bit_is_seen(void **state)
{
	struct frec_part_view view;
	uint8_t *data;
	size_t size;

	(void)state;
	pack_header(&data, &size);
	for (size_t bit = 0; bit < 8 * size; bit++) {
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_true(frec__part_next(data, size, &view) < 0);
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc_known_values),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(every_cut_is_seen),
		cmocka_unit_test(every_flipped_bit_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
