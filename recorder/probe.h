/* SPDX-License-Identifier: MIT */
/* The inside of probes.h: what probes have in common, and those that the table finds in other files. */
#ifndef FREC_RECORDER_PROBE_H
#define FREC_RECORDER_PROBE_H

#include "recorder/probes.h"

/* What a probe found. */
__attribute__((format(printf, 3, 4))) void frec__probe_found(struct frec_probe_result *ret,
							     enum frec_probe_state state,
							     const char *format, ...);

/* The command that would change it. */
__attribute__((format(printf, 2, 3))) void frec__probe_fix(struct frec_probe_result *ret,
							   const char *format, ...);

/* The first line of a small file; empty where it cannot be read. */
void frec__probe_read_line(const char *path, char *ret, size_t size);

void frec__probe_tracefs(struct frec_probe_result *ret);
void frec__probe_tracefs_rights(struct frec_probe_result *ret);
void frec__probe_user_events(struct frec_probe_result *ret);
void frec__probe_register(struct frec_probe_result *ret);
void frec__probe_layouts(struct frec_probe_result *ret);
void frec__probe_tracepoint(struct frec_probe_result *ret);
void frec__probe_ring(struct frec_probe_result *ret);
void frec__probe_set_output(struct frec_probe_result *ret);
void frec__probe_lost(struct frec_probe_result *ret);
void frec__probe_build_ids(struct frec_probe_result *ret);
void frec__probe_ring_memory(struct frec_probe_result *ret);

#endif
