/* SPDX-License-Identifier: MIT */
/*
 * Measures what it costs to emit an event of four fields in one of several ways, for
 * tests/bench/bench-emit.
 *
 *	bench_emit WAY THREADS TIMES
 */
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder/service/registration.h"
#include "recorder/service/shm_emit.h"
#include "recorder/rings/shm_rings.h"
#include "tests/bench/bench_loop.h"

#define RING_SIZE (1u << 20)

FREC_EVENT(bench, order, FREC_U64(id), FREC_STR(path), FREC_I32(status), FREC_F64(price));

static void loop(uint64_t i)
{
	__asm__ volatile("" : : "r"(i));
}

static void emit(uint64_t i)
{
	frec_bench_order(i, BENCH_PATH, 200, 12.5);
}

static void read_clock(uint64_t i)
{
	struct timespec now;

	(void)i;
	clock_gettime(CLOCK_MONOTONIC, &now);
}

static void call_system(uint64_t i)
{
	(void)i;
	syscall(SYS_getppid);
}

/* Creates rings in this process and attaches to them. Emitting to them works as with a recorder's
 * rings. Returns 0 or 1. */
static int attach(uint32_t options, bool sequences)
{
	static const char *const selection[] = {"bench:*", NULL};
	struct frec_clock_probe probe = {0};
	struct frec_shm_rings *rings;
	struct frec_error error;

	if (frec__shm_create(&rings, RING_SIZE, selection, options, &error)) {
		fprintf(stderr, "bench_emit: %s\n", error.message);
		return 1;
	}
	frec__shm_set_clock(rings, frec__clock_probe(&probe));
	if (frec__shm_attach(frec__shm_fd(rings)) || !frec_bench_order_enabled())
		return 1;
	if (!frec__shm->sequences && sequences) {
		fprintf(stderr, "bench_emit: the C library has no restartable sequences\n");
		return 1;
	}
	frec__shm->sequences = sequences;
	return options & FREC_SHM_GUARD && frec__shm->guard < 0;
}

int main(int argc, char **argv)
{
	const char *way = argc == 4 ? argv[1] : "";
	void (*what)(uint64_t i) = emit;

	if (!strcmp(way, "loop"))
		what = loop;
	else if (!strcmp(way, "clock"))
		what = read_clock;
	else if (!strcmp(way, "syscall"))
		what = call_system;
	else if (!strcmp(way, "shm")) {
		if (attach(0, true))
			return 1;
	} else if (!strcmp(way, "shm-shared")) {
		if (attach(0, false))
			return 1;
	} else if (!strcmp(way, "shm-guard")) {
		if (attach(FREC_SHM_GUARD, true))
			return 1;
	} else if (strcmp(way, "disabled") != 0) {
		return 2;
	}
	return bench(what, (unsigned int)atoi(argv[2]), strtoull(argv[3], NULL, 10));
}
