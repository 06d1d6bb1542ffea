// SPDX-License-Identifier: MIT
// Events of services by their sites: which files have some, which of those are selected, and a
// breakpoint on each.
#include "recorder/engine_usdt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "proto/cleanup.h"
#include "proto/report.h"
#include "recorder/declared/declared_files.h"
#include "recorder/engine_sources.h"
#include "recorder/sources/usdt.h"

// Mappings that wait to be looked at. When more come within one look the whole machine is looked at
// instead.
#define MAPPED_MAX 4096

struct frec_mapped {
	uint32_t pid;
	char *path;
};

static void on_mapped(void *context, uint32_t pid, const char *path)
{
	struct frec_engine *engine = context;
	struct frec_mapped *grown;
	char *copy;

	// A library is mapped in pieces, and by each process of a busy shell script anew.
	for (size_t i = engine->mapped_count; i-- > 0 && i + 16 > engine->mapped_count;) {
		if (engine->mapped[i].pid == pid && !strcmp(engine->mapped[i].path, path))
			return;
	}
	grown = engine->mapped_count == MAPPED_MAX
			? NULL
			: reallocarray(engine->mapped, engine->mapped_count + 1, sizeof(*grown));
	copy = grown ? strdup(path) : NULL;
	if (grown)
		engine->mapped = grown;
	if (copy)
		grown[engine->mapped_count++] = (struct frec_mapped){.pid = pid, .path = copy};
	else
		engine->mapped_missed = true;
}

// The source of a declared event, opened when it is seen for the first time.
static int slot_of(struct frec_engine *engine, size_t event, uint32_t *ret_slot)
{
	const struct frec_declared *declared = &engine->declarations.event[event];
	struct frec_bpf_output *output = frec__usdt_output(engine->usdt);
	struct frec_source source;
	struct frec_error error;
	int r;

	for (size_t i = 0; i < engine->source_count; i++) {
		if (engine->source[i].output == output && engine->source[i].declared == event) {
			*ret_slot = engine->source[i].slot;
			return 0;
		}
	}
	if (engine->usdt_slots == output->slots) {
		frec__report(LOG_WARNING, "%s:%s is not recorded: there are more than %u events",
			     declared->provider, declared->name, output->slots);
		return -E2BIG;
	}
	r = frec__source_init_declared(&source, declared, FLIGHTREC__TRANSPORT__TRANSPORT_USDT,
				       output, engine->usdt_slots);
	if (!r) {
		source.declared = event;
		frec__source_set_stack(&source, frec__engine_stack(engine, &source.listed));
		r = frec__engine_open_source(engine, &source, &error);
	}
	if (r) {
		frec__report(LOG_WARNING, "%s:%s is not recorded: %s", declared->provider,
			     declared->name, r == -ENOMEM ? "out of memory" : error.message);
		return r;
	}
	*ret_slot = engine->usdt_slots++;
	return 0;
}

static void found_sites(void *context, int fd, const struct frec_site *sites, size_t count)
{
	struct frec_engine *engine = context;
	FREC_FREE struct frec_usdt_target *targets = calloc(count, sizeof(*targets));
	struct frec_error error;
	size_t found = 0;

	for (size_t i = 0; i < count && targets; i++) {
		const struct frec_declared *event = &engine->declarations.event[sites[i].event];

		if (!frec__engine_selects(engine, event))
			continue;
		targets[found].offset = sites[i].offset;
		targets[found].enable = sites[i].enable;
		if (!slot_of(engine, sites[i].event, &targets[found].slot))
			found++;
	}
	if (!found)
		return;
	// What is recorded must fit a capture before the first record comes.
	if (frec__engine_reserve(engine, &error) ||
	    frec__usdt_attach(engine->usdt, fd, targets, found, &error))
		frec__report(LOG_WARNING, "events of a program are not recorded: %s",
			     error.message);
}

int frec__engine_start_usdt(struct frec_engine *engine, struct frec_error *reterr)
{
	int r = frec__usdt_create(&engine->usdt, false, reterr);

	if (r)
		return r;
	engine->declarations.found_sites = found_sites;
	engine->declarations.context = engine;
	engine->sideband.mapped = on_mapped;
	return 0;
}

int frec__engine_find_sites(struct frec_engine *engine, struct frec_error *reterr)
{
	if (!engine->usdt)
		return 0;
	return frec__declarations_add_machine(&engine->declarations)
		       ? frec__error(reterr, -ENOMEM, "out of memory")
		       : 0;
}

void frec__engine_look_usdt(struct frec_engine *engine)
{
	if (!engine->usdt)
		return;
	for (size_t i = 0; i < engine->mapped_count; i++) {
		frec__declarations_add_mapping(&engine->declarations, engine->mapped[i].pid,
					       engine->mapped[i].path);
		free(engine->mapped[i].path);
	}
	engine->mapped_count = 0;
	if (engine->mapped_missed)
		frec__declarations_add_machine(&engine->declarations);
	engine->mapped_missed = false;
}

void frec__engine_stop_usdt(struct frec_engine *engine)
{
	frec__usdt_destroy(engine->usdt);
	engine->usdt = NULL;
	for (size_t i = 0; i < engine->mapped_count; i++)
		free(engine->mapped[i].path);
	free(engine->mapped);
	engine->mapped = NULL;
}
