// SPDX-License-Identifier: MIT
// Takes snapshots in a row while two threads emit as fast as they can; no event may be lost.
//
//	stress EMITTER FOLDER SNAPSHOTS RING_KILOBYTES STACK_BYTES PAUSE [TRANSPORT]
//
// Unless STACK_BYTES is 0, an event with that many bytes of user stack accompanies every 500th
// event, so that records have up to 64 KiB. Snapshots are taken two at a time and then checked.
// With a PAUSE (microseconds between two events), the rings hold all events that are emitted
// between two snapshots, so the snapshots must overlap. Without a PAUSE, a ring is overwritten
// completely before the next two snapshots, and the emitter is stopped while two are checked,
// because it would leave the check little processor time.
#include "stress.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/clocks.h"
#include "recorder/engine_start.h"

#define MARK_EVERY "500"

static pid_t start_emitter(const char *path, const char *pause)
{
	pid_t pid = fork();

	if (!pid) {
		execl(path, path, "-t", "2", "-s", "3600", "-m", MARK_EVERY, "-w", pause, "hang",
		      (char *)NULL);
		_exit(127);
	}
	return pid;
}

static bool has_source(const struct frec_engine *engine, const char *name)
{
	for (size_t i = 0; i < engine->sources.count; i++) {
		if (!strcmp(engine->sources.source[i].listed.name, name))
			return true;
	}
	return false;
}

// Waits until at least one ring has been overwritten completely. `before[i]` is the number of bytes
// that had been written to ring i when the wait began.
static void wait_for_wrap(const struct frec_engine *engine, const uint64_t *before)
{
	for (;;) {
		for (size_t i = 0; i < engine->rings.count; i++) {
			if (frec__ring_written(&engine->rings.ring[i]) - before[i] >
			    engine->rings.ring[i].size)
				return;
		}
		usleep(1000);
	}
}

static uint64_t *written(const struct frec_engine *engine)
{
	uint64_t *bytes = calloc(engine->rings.count, sizeof(*bytes));

	for (size_t i = 0; i < engine->rings.count; i++)
		bytes[i] = frec__ring_written(&engine->rings.ring[i]);
	return bytes;
}

struct marks {
	struct frec_engine *engine;
	uint32_t stack;
};

static int add_marks(void *context, const struct frec_listed *listed)
{
	struct marks *marks = context;

	const struct frec_stack_choice stack = {.bytes = marks->stack};

	return frec__source_set_add_listed(&marks->engine->sources, listed, NULL, &stack, NULL);
}

int main(int argc, char **argv)
{
	const char *selection[] = {"test:tick", NULL};
	struct frec_engine_options options = {.selection = selection,
					      .watch = FREC_WATCH_DESCENDANTS};
	struct frec_reason reason = {.kind = FLIGHTREC__TRIGGER__KIND__REQUEST, .name = "stress"};
	struct stress_check *check;
	struct frec_engine engine;
	struct marks marks = {.engine = &engine};
	struct frec_error error;
	uint64_t events, shared, wrapped, copied = 0, overwritten = 0, *before;
	unsigned int wanted, good = 0;
	char paths[2][PATH_MAX];
	bool pause;
	pid_t emitter;

	if (argc != 7 && argc != 8)
		return 2;
	while (argc == 8 && strcmp(argv[7], frec__transport_names[options.transport]))
		if (++options.transport == FREC_TRANSPORT_COUNT)
			return 2;
	options.folder = argv[2];
	options.ring_size = strtoull(argv[4], NULL, 10) << 10;
	marks.stack = (uint32_t)strtoul(argv[5], NULL, 10);
	wanted = (unsigned int)strtoul(argv[3], NULL, 10);
	pause = strtoul(argv[6], NULL, 10);
	emitter = start_emitter(argv[1], argv[6]);
	check = stress_check_create((uint32_t)emitter);
	if (frec__engine_start(&engine, &options, &error)) {
		printf("%s\n", error.message);
		kill(emitter, SIGKILL);
		return 1;
	}
	while (!has_source(&engine, "tick")) {
		usleep(10000);
		frec__engine_work(&engine);
	}
	if (marks.stack && (frec__catalog_walk(engine.tracefs, "test:mark", add_marks, &marks) ||
			    frec__source_set_reserve(&engine.sources, &error))) {
		printf("test:mark is not recorded\n");
		return 1;
	}
	before = written(&engine);
	for (unsigned int i = 0; i < wanted; i++) {
		char *path = paths[i % 2];

		frec__engine_work(&engine);
		if (!i || (i % 2 == 0 && !pause))
			wait_for_wrap(&engine, before);
		reason.time = frec__monotonic();
		if (frec__engine_snapshot(&engine, &reason, -1, path, &error)) {
			printf("%s\n", error.message);
			continue;
		}
		copied += engine.rings.capture.duration;
		for (size_t r = 0; r < engine.rings.capture.rings; r++)
			overwritten += engine.rings.capture.copy[r].during;
		if (i % 2 == 0)
			continue;
		if (!pause)
			kill(emitter, SIGSTOP);
		free(before);
		before = written(&engine);
		for (unsigned int pair = 0; pair < 2; pair++) {
			if (stress_check_file(check, paths[pair]))
				good++;
			else
				printf("snapshot %u: see above\n", i - 1 + pair);
			unlink(paths[pair]);
		}
		kill(emitter, SIGCONT);
	}
	free(before);
	kill(emitter, SIGKILL);
	waitpid(emitter, NULL, 0);
	stress_check_summary(check, &events, &shared, &wrapped);
	printf("%u of %u snapshots whole; %" PRIu64 " events, %" PRIu64
	       " compared between two files, %" PRIu64 " rings had wrapped; a copy took %" PRIu64
	       " us and %" PRIu64 " bytes were written meanwhile, on average; grace periods: %s\n",
	       good, wanted, events, shared, wrapped, copied / wanted / 1000, overwritten / wanted,
	       engine.rings.capture.settled ? "yes" : "no");
	frec__engine_stop(&engine);
	stress_check_destroy(check);
	// Nothing was proved if no ring wrapped or no two files overlapped.
	return good == wanted && events && wrapped && (shared || !pause) ? 0 : 1;
}
