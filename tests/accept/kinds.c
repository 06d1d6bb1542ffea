// SPDX-License-Identifier: MIT
// Emits the same events on every run: all kinds of fields, their limits, strings that are cut and
// events that are too large. Then exits with 3, so that `flightrec run` leaves a snapshot.
// data/golden/kinds.jsonl has the events that must be in that snapshot.
//
//	kinds [wait]		wait: first waits until all events are on, because a recorder needs
//				a moment to find a new program
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <flightrec/event.h>

#define WAIT_MS 10000

enum state { IDLE = -1, BUSY = 3 };

FREC_EVENT(same, small, FREC_U8(u8), FREC_I8(i8), FREC_U16(u16), FREC_I16(i16), FREC_BOOL(yes));
FREC_EVENT(same, large, FREC_U32(u32), FREC_I32(i32), FREC_U64(u64), FREC_I64(i64),
	   FREC_PTR(pointer));
FREC_EVENT(same, real, FREC_F32(f32), FREC_F64(f64));
FREC_EVENT(same, state, FREC_ENUM(state, IDLE, BUSY), FREC_I32(after));
FREC_EVENT(same, text, FREC_STR(text), FREC_CHARS(tag, 6), FREC_STR(other));
FREC_EVENT(same, raw, FREC_BYTES(raw), FREC_U8(after), FREC_BYTES(more));
FREC_EVENT(same, nothing);
FREC_EVENT(same, counted, FREC_TEXT(key), FREC_U8(after), FREC_TEXT(value));
FREC_EVENT(same, many, FREC_U8(a), FREC_STR(b), FREC_U16(c), FREC_I64(d), FREC_U8(e), FREC_U8(f),
	   FREC_U8(g), FREC_U8(h), FREC_U8(i), FREC_U8(j), FREC_U8(k), FREC_U8(l), FREC_U8(m),
	   FREC_STR(n), FREC_F64(o), FREC_BYTES(p));
/* This event is declared but never emitted. */
FREC_EVENT(same, silent, FREC_U32(never));

static char *repeated(const char *unit, size_t times)
{
	size_t length = strlen(unit);
	char *text = malloc(length * times + 1), *next = text;

	while (times--)
		next = mempcpy(next, unit, length);
	*next = '\0';
	return text;
}

static void numbers(void)
{
	frec_same_small(0, 0, 0, 0, false);
	frec_same_small(UINT8_MAX, INT8_MAX, UINT16_MAX, INT16_MAX, true);
	frec_same_small(1, INT8_MIN, 1, INT16_MIN, false);
	frec_same_large(0, 0, 0, 0, NULL);
	frec_same_large(UINT32_MAX, INT32_MIN, UINT64_MAX, INT64_MIN, (void *)0x7fff12345678);
	frec_same_large(1, -1, (uint64_t)1 << 53, INT64_MAX, (void *)UINTPTR_MAX);
	frec_same_real(0.0f, -0.0);
	frec_same_real(0.1f, 0.1);
	frec_same_real(FLT_MAX, -DBL_MAX);
	frec_same_real(-1.40129846e-45f, DBL_MIN);
	frec_same_real(NAN, INFINITY);
	frec_same_real(-INFINITY, NAN);
	frec_same_state(IDLE, 1);
	frec_same_state(BUSY, -2);
	frec_same_state(7, 3);
}

static void texts(void)
{
	const char bytes[] = {0, 1, 0x7f, (char)0x80, (char)0xff};
	char *all = repeated("x", 9000), *wide = repeated("\xe2\x82\xac", 3000),
	     *half = repeated("y", 5000);
	unsigned char big[FREC_PAYLOAD_MAX + 1];

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (unsigned char)(i * 7);
	frec_same_text("", "", "");
	frec_same_text("plain", "sixsix", "other");
	frec_same_text(NULL, NULL, "after NULL");
	frec_same_text("quote \" back \\ tab \t line \n bell \a", "longer than six",
		       "\xc3\xa4\xf0\x9f\x98\x80");
	frec_same_text("not UTF-8: \xff\xfe \xc3", "\xff", "\xed\xa0\x80");
	frec_same_text(all, "cut", "short");
	frec_same_text(wide, "cut", half);
	frec_same_text("short", "", all);
	frec_same_raw(bytes, sizeof(bytes), 255, NULL, 0);
	frec_same_raw(NULL, 0, 0, bytes, 1);
	frec_same_raw(big, 3000, 1, big + 3000, 5000);
	frec_same_raw(big, sizeof(big), 2, bytes, 1);
	frec_same_raw("printable \xc3\xa4\r\n", 14, 3,
		      "\x7f"
		      "ELF",
		      4);
	frec_same_counted("key and more", 3, 1, "", 0);
	frec_same_counted(NULL, 0, 2, "in\0side \xff \x1b[1m", 13);
	frec_same_counted("ends in NUL\0", 12, 3, "\0\0\0", 3);
	frec_same_counted(all, 9000, 4, wide, 9000);
	frec_same_counted(half, 4085, 5, half, 4086);
	frec_same_counted(half, 4085, 6, half, 4087);
	frec_same_nothing();
	frec_same_many(1, "two", 3, -4, 5, 6, 7, 8, 9, 10, 11, 12, 13, "fourteen", 15.5, bytes,
		       sizeof(bytes));
	free(all);
	free(wide);
	free(half);
}

static bool all_on(void)
{
	return frec_same_small_enabled() && frec_same_large_enabled() && frec_same_real_enabled() &&
	       frec_same_state_enabled() && frec_same_text_enabled() && frec_same_raw_enabled() &&
	       frec_same_nothing_enabled() && frec_same_many_enabled() &&
	       frec_same_counted_enabled();
}

int main(int argc, char **argv)
{
	for (int i = 0; argc > 1 && !strcmp(argv[1], "wait") && !all_on() && i < WAIT_MS; i++)
		usleep(1000);
	numbers();
	texts();
	// The first event again, to show that the events in between have no effect on it.
	frec_same_small(0, 0, 0, 0, false);
	return 3;
}
