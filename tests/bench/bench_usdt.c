/* SPDX-License-Identifier: MIT */
/*
 * Measures the cost of an event through a breakpoint at its site with flightrec's BPF program,
 * beside that of an empty program at the same site and of one that only copies the payload into a
 * ring.
 *
 *	bench_usdt [ROUNDS [EVENTS]]
 *
 * The ways take turns. For each way, prints the median, the minimum and the maximum of the rounds,
 * in nanoseconds of the thread's processor time.
 */
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench_usdt.skel.h"
#include "flightrec/event.h"
#include "recorder/declared/declared_files.h"
#include "recorder/rings/perf_ring.h"
#include "recorder/sources/source.h"
#include "recorder/sources/usdt.h"
#include "tests/bench/bench_usdt.h"

#define RING_SIZE (1u << 20)
#define ROUNDS_MAX 99

FREC_EVENT(bench, order, FREC_U64(id), FREC_STR(path), FREC_I32(status), FREC_F64(price));

enum way { OFF, EMPTY, COPY, OURS, WAYS };
static const char *const names[WAYS] = {"nobody listens", "empty BPF program",
					"copying BPF program", "flightrec"};

static struct frec_site site;
static struct frec_declarations declarations;

static void found_sites(void *context, int fd, const struct frec_site *sites, size_t count)
{
	(void)context;
	(void)fd;
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(declarations.event[sites[i].event].provider, "bench"))
			site = sites[i];
	}
}

static double run(long events)
{
	struct timespec from, to;

	for (long i = 0; i < events / 10; i++)
		frec_bench_order((uint64_t)i, "/orders/list/12345", 200, 12.5);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	for (long i = 0; i < events; i++)
		frec_bench_order((uint64_t)i, "/orders/list/12345", 200, 12.5);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
	       (double)events;
}

/* On each CPU, opens a ring, and an event that is redirected into the ring. */
static int open_rings(struct frec_source *source, const struct frec_bpf_output *output,
		      struct frec_error *error)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	static struct frec_ring rings[1024];
	int r = frec__source_init_declared(source, &declarations.event[site.event],
					   FLIGHTREC__TRANSPORT__TRANSPORT_USDT, output, 0);

	for (int cpu = 0; cpu < cpus && cpu < 1024 && !r; cpu++) {
		if (!rings[cpu].map)
			r = frec__perf_ring_open(&rings[cpu], cpu, RING_SIZE, error);
		if (!r)
			r = frec__source_open(source, (size_t)cpu, &rings[cpu], error);
	}
	return r;
}

static double listen_with(struct bpf_program *program, uint64_t offset, long events)
{
	LIBBPF_OPTS(bpf_uprobe_opts, options, .ref_ctr_offset = site.enable);
	struct bpf_link *link =
		bpf_program__attach_uprobe_opts(program, -1, "/proc/self/exe", offset, &options);
	double result = link ? run(events) : -1;

	bpf_link__destroy(link);
	return result;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 7,
	    self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	long events = argc > 2 ? atol(argv[2]) : 300000;
	static double results[WAYS][ROUNDS_MAX];
	struct bench_usdt_bpf *peers = bench_usdt_bpf__open();
	struct frec_bpf_output peer_output;
	struct frec_source ours, peer;
	struct frec_error error = {0};
	struct frec_usdt *usdt;
	uint64_t offset;

	declarations.found_sites = found_sites;
	frec__declarations_add_file(&declarations, "/proc/self/exe", false);
	libbpf_set_print(NULL);
	if (rounds < 1 || rounds > ROUNDS_MAX || !site.offset || !peers ||
	    frec__bpf_output_size(peers->obj, 1, &peers->rodata->frec_cpus) ||
	    bench_usdt_bpf__load(peers) || frec__bpf_output_open(&peer_output, peers->obj) ||
	    open_rings(&peer, &peer_output, &error)) {
		fprintf(stderr, "bench_usdt: needs root and BPF programs of the uprobe kind %s\n",
			error.message);
		return 1;
	}
	for (int i = 0; i < rounds; i++) {
		struct frec_usdt_target target = {.offset = site.offset, .enable = site.enable};

		results[OFF][i] = run(events);
		if (frec__usdt_create(&usdt, true, &error)) {
			fprintf(stderr, "bench_usdt: %s\n", error.message);
			return 1;
		}
		offset = site.offset + (frec__usdt_optimised(usdt) ? 1 : 0);
		results[EMPTY][i] = listen_with(peers->progs.empty, offset, events);
		results[COPY][i] = listen_with(peers->progs.copy, offset, events);
		if (open_rings(&ours, frec__usdt_output(usdt), &error) ||
		    frec__usdt_attach(usdt, self, &target, 1, &error)) {
			fprintf(stderr, "bench_usdt: %s\n", error.message);
			return 1;
		}
		results[OURS][i] = run(events);
		frec__source_deinit(&ours);
		frec__usdt_destroy(usdt);
	}
	printf("the site is %s\n",
	       offset == site.offset ? "a breakpoint" : "a call (an optimised breakpoint)");
	for (int way = 0; way < WAYS; way++) {
		qsort(results[way], (size_t)rounds, sizeof(double), compare);
		printf("%-20s %7.1f ns (%.1f..%.1f)\n", names[way], results[way][rounds / 2],
		       results[way][0], results[way][rounds - 1]);
	}
	printf("flightrec / empty    %7.2f\nflightrec / copying  %7.2f\n",
	       results[OURS][rounds / 2] / results[EMPTY][rounds / 2],
	       results[OURS][rounds / 2] / results[COPY][rounds / 2]);
	frec__source_deinit(&peer);
	return 0;
}
