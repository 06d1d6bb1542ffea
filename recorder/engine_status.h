/* SPDX-License-Identifier: MIT */
/* The state of an engine, for `flightrec status` and the like. */
#ifndef FREC_RECORDER_ENGINE_STATUS_H
#define FREC_RECORDER_ENGINE_STATUS_H

#include "recorder/engine.h"
#include "recorder/history.h"

/* The pointers point into the engine, and are valid until it does anything else. */
struct frec_engine_status {
	struct frec_history history;
	size_t rings;
	uint64_t ring_size; /* bytes */
	enum frec_transport transport;
	const char *transport_why;    /* one sentence */
	const char *no_kernel;	      /* why the kernel is not watched; NULL: it is watched */
	bool fault_addresses;	      /* crashes are recorded with the faulting address */
	const char *const *selection; /* NULL-terminated */
	const struct frec_source *source;
	size_t sources;
	size_t sources_by[FREC_TRANSPORT_COUNT]; /* indexed by transport; 0: the kernel */
	const char *folder, *last_path;		 /* last_path is empty before the first snapshot */
	uint64_t snapshots, failures;
	uint64_t triggers_coalesced, deaths_coalesced, deaths_missed;
	uint64_t cooldown; /* nanoseconds */
	/* files that were not read for events, and the path of the last; see file_reader.h */
	uint64_t passed_over;
	const char *last_passed_over;
};

void frec__engine_status(const struct frec_engine *engine, struct frec_engine_status *ret);

#endif
