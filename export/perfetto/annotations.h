/* SPDX-License-Identifier: MIT */
/* Debug annotations, which are an event's typed arguments, for the few packets that protobuf-c
 * packs. They are allocated in the arena. If memory runs out, nothing is added and the arena's
 * `failed` is set. */
#ifndef FREC_EXPORT_PERFETTO_ANNOTATIONS_H
#define FREC_EXPORT_PERFETTO_ANNOTATIONS_H

#include "export/perfetto/trace.h"

/* Initialise with zeroes. */
struct frec_annotations {
	Perfetto__Protos__DebugAnnotation **items;
	size_t count, capacity;
};

/* Adds an annotation, whose value the caller sets. Returns NULL if memory runs out. */
Perfetto__Protos__DebugAnnotation *frec__annotation_add(struct frec_arena *arena,
							struct frec_annotations *annotations,
							const char *name);
void frec__annotation_add_string(struct frec_arena *arena, struct frec_annotations *annotations,
				 const char *name, const char *value);

/* `values` is an array of `count` numbers of 8 bytes, not necessarily aligned: one for each bit
 * that is set in `mask`, lowest first. */
void frec__annotation_add_registers(struct frec_arena *arena, struct frec_annotations *annotations,
				    const struct frec_registers *layout, uint64_t mask,
				    const void *values, size_t count);

#endif
