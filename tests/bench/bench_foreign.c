/* SPDX-License-Identifier: MIT */
/*
 * Measures the cost of recording a program's own USDT probe with four numbers, and with three
 * numbers and a text, beside that of an empty BPF program at the same site.
 *
 *	bench_foreign [ROUNDS [EVENTS]]
 *
 * The ways take turns. For each way, prints the median, the minimum and the maximum of the rounds,
 * in nanoseconds of the thread's processor time.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bench_usdt.skel.h"
#include "recorder/rings/perf_ring.h"
#include "recorder/sources/foreign.h"

#define RING_SIZE (1u << 20)
#define ROUNDS_MAX 99
#define CPUS_MAX 1024

enum way { OFF, EMPTY, NUMBERS, TEXT, WAYS };
static const char *const names[WAYS] = {"nobody listens", "empty BPF program", "four numbers",
					"and one is a text"};

/* The site has a function symbol of its own, so that the empty program can be attached by name. */
__attribute__((noinline)) static void fire(uint64_t number, const char *text)
{
	__asm__ volatile("	.type bench_foreign_site, @function\n"
			 "bench_foreign_site:\n"
			 "990:	nop\n"
			 "	.size bench_foreign_site, . - bench_foreign_site\n"
			 "	.pushsection .note.stapsdt, \"\", \"note\"\n"
			 "	.balign 4\n"
			 "	.4byte 992f - 991f, 994f - 993f, 3\n"
			 "991:	.asciz \"stapsdt\"\n"
			 "992:	.balign 4\n"
			 "993:	.8byte 990b, 0, 0\n"
			 "	.asciz \"bench\"\n"
			 "	.asciz \"order\"\n"
			 "	.asciz \"8@%%rdi 8@%%rsi -4@$200 8@(%%rdx)\"\n"
			 "994:	.balign 4\n"
			 "	.popsection\n"
			 :
			 : "D"(number), "S"(text), "d"(&number), "m"(number)
			 : "memory");
}

static double run(long events)
{
	struct timespec from, to;

	for (long i = 0; i < events / 10; i++)
		fire((uint64_t)i, "/orders/list/12345");
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	for (long i = 0; i < events; i++)
		fire((uint64_t)i, "/orders/list/12345");
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
	       (double)events;
}

static struct frec_ring rings[CPUS_MAX];
static struct frec_source opened;

static int open_on_rings(void *context, struct frec_source *source, struct frec_error *error)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int r = 0;

	(void)context;
	opened = *source;
	for (int cpu = 0; cpu < cpus && cpu < CPUS_MAX && !r; cpu++) {
		if (!rings[cpu].map)
			r = frec__perf_ring_open(&rings[cpu], cpu, RING_SIZE, error);
		if (!r)
			r = frec__source_open(&opened, (size_t)cpu, &rings[cpu], error);
	}
	return r;
}

static double record(const char *selection, long events, struct frec_error *error)
{
	struct frec_foreign *foreign = NULL;
	struct frec_selection parsed;
	double result = -1;

	if (frec__selection_parse(&parsed, selection, error))
		return -1;
	if (!frec__foreign_create(&foreign, &parsed, 1, open_on_rings, NULL, error))
		result = run(events);
	frec__foreign_destroy(foreign);
	frec__selection_deinit(&parsed);
	frec__source_deinit(&opened);
	return result;
}

static double do_nothing(struct bpf_program *program, long events)
{
	LIBBPF_OPTS(bpf_uprobe_opts, options, .func_name = "bench_foreign_site");
	struct bpf_link *link =
		bpf_program__attach_uprobe_opts(program, -1, "/proc/self/exe", 0, &options);
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
	int rounds = argc > 1 ? atoi(argv[1]) : 7;
	long events = argc > 2 ? atol(argv[2]) : 100000;
	static double results[WAYS][ROUNDS_MAX];
	struct bench_usdt_bpf *peers = bench_usdt_bpf__open();
	struct frec_error error = {0};

	libbpf_set_print(NULL);
	if (rounds < 1 || rounds > ROUNDS_MAX || !peers || bench_usdt_bpf__load(peers)) {
		fprintf(stderr, "bench_foreign: needs root and BPF programs of the uprobe kind\n");
		return 1;
	}
	for (int i = 0; i < rounds; i++) {
		results[OFF][i] = run(events);
		results[EMPTY][i] = do_nothing(peers->progs.empty, events);
		results[NUMBERS][i] = record("usdt:/proc/self/exe:bench:order", events, &error);
		results[TEXT][i] =
			record("usdt:/proc/self/exe:bench:order:arg1=str", events, &error);
		for (int way = 0; way < WAYS; way++) {
			if (results[way][i] < 0) {
				fprintf(stderr, "bench_foreign: %s: %s\n", names[way],
					error.message);
				return 1;
			}
		}
	}
	for (int way = 0; way < WAYS; way++) {
		qsort(results[way], (size_t)rounds, sizeof(double), compare);
		printf("%-20s %7.1f ns (%.1f..%.1f)  %.2f of an empty program\n", names[way],
		       results[way][rounds / 2], results[way][0], results[way][rounds - 1],
		       results[way][rounds / 2] / results[EMPTY][rounds / 2]);
	}
	return 0;
}
