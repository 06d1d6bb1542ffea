// SPDX-License-Identifier: MIT
// Proves that only well-formed messages reach protobuf-c.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "export/read/wire.h"
#include "flightrec.pb-c.h"

static int check(const ProtobufCMessageDescriptor *descriptor, const char *bytes, size_t size)
{
	uint8_t *copy = malloc(size); // a block of its own, for sanitizers
	int r;

	assert_true(copy || !size);
	memcpy(copy, bytes, size);
	r = frec__wire_check(descriptor, copy, size);
	free(copy);
	return r;
}

#define CHECK(type, bytes, expected) \
	assert_int_equal(check(&flightrec__##type##__descriptor, bytes, sizeof(bytes) - 1), \
			 expected)

static void well_formed(void **state)
{
	(void)state;
	CHECK(end, "", 0);
	CHECK(end, "\x08\x01\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x7d....", 0);
	CHECK(header,
	      "\x22\x02\x0a\x00\x1a\x03"
	      "abc",
	      0);
	CHECK(registers, "\x12\x02\x96\x01\x10\x05", 0); // packed numbers, then a single one
	CHECK(end, "\xfa\x07\x02hi", 0);		 // a field of a later version
}

static void malformed(void **state)
{
	(void)state;
	CHECK(end, "\x08", -EBADMSG);
	CHECK(end, "\x08\xff", -EBADMSG);
	CHECK(end, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", -EBADMSG); // 11 bytes
	CHECK(end, "\x00\x01", -EBADMSG);					  // field 0
	CHECK(end, "\x7d...", -EBADMSG);
	CHECK(end, "\xf9\x07.......", -EBADMSG);
	CHECK(end, "\x0b", -EBADMSG);	   // a group
	CHECK(end, "\x0a\x01x", -EBADMSG); // a number as a string
	CHECK(header,
	      "\x1a\x04"
	      "abc",
	      -EBADMSG);
	CHECK(header,
	      "\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
	      "abc",
	      -EBADMSG);
	CHECK(header, "\x18\x01", -EBADMSG);	     // a string as a number
	CHECK(header, "\x22\x00\x22\x00", -EBADMSG); // one message twice
	CHECK(header, "\x22\x02\x0a\x01", -EBADMSG); // truncated inside
	CHECK(registers, "\x12\x02\x96\x96", -EBADMSG);
	CHECK(registers, "\x12\x03\x96\x01", -EBADMSG);
}

static void too_many(void **state)
{
	size_t size = 2 * (size_t)FREC_WIRE_ITEMS_MAX;
	uint8_t *bytes = malloc(size);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < size; i += 2) {
		bytes[i] = 0x4a; // Process.thread, empty
		bytes[i + 1] = 0;
	}
	assert_int_equal(frec__wire_check(&flightrec__process__descriptor, bytes, size), -EBADMSG);
	assert_int_equal(frec__wire_check(&flightrec__process__descriptor, bytes, size - 2), 0);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_formed),
		cmocka_unit_test(malformed),
		cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
