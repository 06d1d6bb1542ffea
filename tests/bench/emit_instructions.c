/* SPDX-License-Identifier: MIT */
/*
 * Emits one shape of event TIMES times, for tests/bench/emit-instructions to count instructions.
 * The kernel is not involved: the enable word is set by hand, and the descriptor is that of
 * /dev/null, which accepts every write.
 *
 *	emit_instructions SHAPE TIMES
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recorder/service/emit.h"

FREC_EVENT(bench, off, FREC_U64(order_id), FREC_STR(path), FREC_I32(status), FREC_U64(latency_ns));
FREC_EVENT(bench, nothing);
FREC_EVENT(bench, four_numbers, FREC_U64(a), FREC_U64(b), FREC_U64(c), FREC_U64(d));
FREC_EVENT(bench, request_done, FREC_U64(order_id), FREC_STR(path), FREC_I32(status),
	   FREC_U64(latency_ns));
FREC_EVENT(bench, two_strings, FREC_STR(a), FREC_STR(b));
FREC_EVENT(bench, bytes, FREC_BYTES(raw));
FREC_EVENT(bench, chars, FREC_CHARS(tag, 16));

#define SHAPES(m) \
	m(loop) m(off) m(nothing) m(four_numbers) m(request_done) m(two_strings) m(bytes) m(chars) \
		m(cut)

static char hundred[101], kilobyte[1024], long_text[20001];

static void emit_loop(void)
{
}

static void emit_off(void)
{
	FREC_EMIT(bench, off, 4711, "/order/4711", 200, 12345678);
}

static void emit_nothing(void)
{
	FREC_EMIT(bench, nothing);
}

static void emit_four_numbers(void)
{
	FREC_EMIT(bench, four_numbers, 1, 2, 3, 4);
}

static void emit_request_done(void)
{
	FREC_EMIT(bench, request_done, 4711, "/order/4711", 200, 12345678);
}

static void emit_two_strings(void)
{
	FREC_EMIT(bench, two_strings, hundred, hundred);
}

static void emit_bytes(void)
{
	FREC_EMIT(bench, bytes, kilobyte, sizeof(kilobyte));
}

static void emit_chars(void)
{
	FREC_EMIT(bench, chars, "0123456789");
}

static void emit_cut(void)
{
	FREC_EMIT(bench, two_strings, long_text, hundred);
}

int main(int argc, char **argv)
{
	struct frec__event *const events[] = {
		&frec__event_bench_nothing,	 &frec__event_bench_four_numbers,
		&frec__event_bench_request_done, &frec__event_bench_two_strings,
		&frec__event_bench_bytes,	 &frec__event_bench_chars,
	};
	static const struct {
		const char *name;
		void (*emit)(void);
	} shapes[] = {
#define SHAPE(name) {#name, emit_##name},
		SHAPES(SHAPE)};
	struct frec_stats stats = {.size = sizeof(stats)};

	if (argc != 3)
		return 2;
	memset(hundred, 'x', sizeof(hundred) - 1);
	memset(long_text, 'x', sizeof(long_text) - 1);
	frec__fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		events[i]->enabled = 1u << FREC__USER_EVENTS_BIT;
		events[i]->write_index = 0;
	}
	frec__event_bench_off.enabled = 0;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (strcmp(argv[1], shapes[i].name) != 0)
			continue;
		for (int n = atoi(argv[2]); n > 0; n--)
			shapes[i].emit();
		/* Fails if an event was dropped, because dropping takes fewer instructions. */
		frec_stats_read(&stats);
		return stats.dropped_closed + stats.dropped_other + stats.dropped_fault +
			       stats.dropped_too_large + stats.dropped_unregistered !=
		       0;
	}
	return 2;
}
