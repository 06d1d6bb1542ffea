/* SPDX-License-Identifier: MIT */
/* What an engine is doing, for those who ask. */
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
	const char *no_kernel;	      /* why the kernel is not watched; NULL: it is */
	bool fault_addresses;	      /* crashes are recorded with the faulting address */
	const char *const *selection; /* NULL-terminated */
	const struct frec_source *source;
	size_t sources;
	size_t sources_by[FREC_TRANSPORT_COUNT]; /* at 0: the kernel's own events */
	const char *folder, *last_path;		 /* last_path is empty before the first snapshot */
	uint64_t snapshots, failures;
};

void frec__engine_status(const struct frec_engine *engine, struct frec_engine_status *ret);

#endif
