// SPDX-License-Identifier: MIT
// Reading the status of an engine.
#include "recorder/engine_status.h"

#include "recorder/declared/file_reader.h"

void frec__engine_status(const struct frec_engine *engine, struct frec_engine_status *ret)
{
	*ret = (struct frec_engine_status){
		.rings = engine->rings.count,
		.ring_size = engine->rings.size,
		.transport = engine->transport,
		.transport_why = engine->transport_why,
		.no_kernel = engine->kernel ? NULL : engine->no_kernel.message,
		.fault_addresses = engine->sources.crash_program,
		.selection = engine->options.selection,
		.source = engine->sources.source,
		.sources = engine->sources.count,
		.folder = engine->store.folder.path,
		.last_path = engine->store.last_path,
		.snapshots = engine->store.snapshots,
		.failures = engine->store.failures,
		.triggers_coalesced = engine->triggers.coalesced,
		.deaths_coalesced = engine->deaths.coalesced,
		.deaths_missed = engine->deaths.missed_ever,
		.cooldown = engine->cooldown.duration,
		.last_passed_over = "",
	};
	if (engine->declarations.reader) {
		ret->passed_over = engine->declarations.reader->passed_over;
		ret->last_passed_over = engine->declarations.reader->last_passed_over;
	}
	frec__history_read(&engine->sources, engine->recording_since, &ret->history);
	for (size_t i = 0; i < ret->sources; i++)
		ret->sources_by[ret->source[i].transport]++;
}
