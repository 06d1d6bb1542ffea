// SPDX-License-Identifier: MIT
// Each kind of field, compiled as C and as C++ with every warning that people turn on: see
// test_headers.py. Compiled, and not run.
#include <flightrec/event.h>
#include <flightrec/recorder.h>

enum state { IDLE = -1, BUSY = 3 };

FREC_EVENT(headers, all, FREC_U8(a), FREC_U16(b), FREC_U32(c), FREC_U64(d), FREC_I8(e), FREC_I16(f),
	   FREC_I32(g), FREC_I64(h), FREC_BOOL(i), FREC_F32(j), FREC_F64(k), FREC_PTR(l),
	   FREC_STR(m), FREC_TEXT(n), FREC_CHARS(o, 16), FREC_BYTES(p), FREC_ENUM(q, IDLE, BUSY));
FREC_EVENT(headers, none);
FREC_EVENT(headers, one, FREC_TEXT(key));
FREC_EVENT(headers, unused, FREC_STR(why));

int use(const char *text, const unsigned char *bytes, size_t size, enum state state);
int use(const char *text, const unsigned char *bytes, size_t size, enum state state)
{
	int r = 0;

	if (frec_headers_all_enabled())
		r = frec_headers_all(1, 2, 3, 4, -5, -6, -7, -8, true, 9.0f, 10.0, text, text,
				     bytes, size, text, bytes, size, state);
	FREC_EMIT(headers, all, 1, 2, 3, 4, -5, -6, -7, -8, true, 9.0f, 10.0, bytes, text, text,
		  size, text, text, size, 3);
	FREC_EMIT(headers, none);
	frec_headers_none();
	return r + frec_headers_one(text, size) + frec_headers_one(bytes, size) +
	       FREC_EMIT(headers, one, bytes, size);
}
