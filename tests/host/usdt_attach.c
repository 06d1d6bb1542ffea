/* SPDX-License-Identifier: MIT */
/*
 * Attaches breakpoints to the sites of this program in both ways, all at once and one by one.
 * Proves that each event runs the BPF program exactly once, that the enable word goes up and down,
 * and that two recorders do not disturb each other. No rings are connected, so events are counted
 * as lost. Exits with 77, a skip, without the right to load BPF programs.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "flightrec/event.h"
#include "recorder/declared/declared_files.h"
#include "recorder/sources/usdt.h"

#define EVENTS 1000
#define SITES_MAX 8

FREC_EVENT(attach, tick, FREC_U64(number), FREC_STR(text));

static struct frec_usdt_target targets[SITES_MAX];
static size_t target_count;
static int failures;

static void check(bool condition, const char *what)
{
	printf("%s %s\n", condition ? "ok     " : "FAILED ", what);
	failures += !condition;
}

static void found_sites(void *context, int fd, const struct frec_site *sites, size_t count)
{
	const struct frec_declarations *declarations = context;

	(void)fd;
	for (size_t i = 0; i < count && target_count < SITES_MAX; i++) {
		if (!__builtin_strcmp(declarations->event[sites[i].event].provider, "attach"))
			targets[target_count++] = (struct frec_usdt_target){
				.offset = sites[i].offset, .enable = sites[i].enable, .slot = 3};
	}
}

static unsigned int listeners(void)
{
	return frec__event_attach_tick.enabled & FREC__USDT_MASK;
}

static uint64_t counted(struct frec_usdt *usdt)
{
	struct frec_bpf_output *output = frec__usdt_output(usdt);
	uint64_t sum = 0;

	for (uint32_t cpu = 0; cpu < output->cpus; cpu++) {
		struct frec_bpf_counts counts;

		frec__bpf_output_count(output, 3, (int)cpu, &counts);
		sum += counts.begun;
		if (counts.begun != counts.lost + counts.written)
			return UINT64_MAX;
	}
	return sum;
}

static void emit(void)
{
	for (int i = 0; i < EVENTS; i++)
		frec_attach_tick((uint64_t)i, "text");
}

// Without optimization gcc keeps the site of frec_attach_tick_enabled(), although nothing calls it.
#ifdef __OPTIMIZE__
#define PLACES_MAX 1
#else
#define PLACES_MAX 2
#endif

int main(void)
{
	struct frec_declarations declarations = {.found_sites = found_sites};
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct frec_usdt *first, *second;
	struct frec_error error;

	declarations.context = &declarations;
	if (frec__usdt_create(&first, false, &error)) {
		printf("skipped: %s\n", error.message);
		return 77;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("a breakpoint on the long no-op is %s here\n",
	       frec__usdt_optimised(first) ? "a call" : "not made faster");
	check(!frec__declarations_add_file(&declarations, "/proc/self/exe", false) &&
		      target_count >= 1 && target_count <= PLACES_MAX,
	      "one site");
	emit();
	check(counted(first) == 0, "nothing before");
	check(!frec__usdt_attach(first, self, targets, target_count, &error),
	      "a recorder attaches to all sites at once");
	check(listeners() == target_count, "the event is on");
	emit();
	check(counted(first) == EVENTS, "each once");
	if (frec__usdt_create(&second, true, &error)) {
		printf("FAILED  %s\n", error.message);
		return 1;
	}
	check(!frec__usdt_attach(second, self, targets, target_count, &error),
	      "a second recorder attaches to the sites one by one");
	check(listeners() == target_count, "the kernel counts places, not listeners");
	emit();
	check(counted(first) == 2 * EVENTS && counted(second) == EVENTS,
	      "both get each event once");
	frec__usdt_destroy(first);
	check(listeners() == target_count, "the event is still on when one is gone");
	emit();
	check(counted(second) == 2 * EVENTS, "the other one still gets each event");
	frec__usdt_destroy(second);
	// frec_attach_tick_enabled() is not used, because it would make a second place to listen
	// at.
	check(frec__event_attach_tick.enabled == 0, "the event is off");
	frec__declarations_deinit(&declarations);
	close(self);
	return failures ? 1 : 0;
}
