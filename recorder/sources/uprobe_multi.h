/* SPDX-License-Identifier: MIT */
/* One BPF program at many places of a file at once, which Linux can since 6.6 and libbpf since
 * 1.3. */
#ifndef FREC_RECORDER_SOURCES_UPROBE_MULTI_H
#define FREC_RECORDER_SOURCES_UPROBE_MULTI_H

#include <stddef.h>
#include <stdint.h>

/* What the program's expected attach type is to be before it is loaded. */
#define FREC_TRACE_UPROBE_MULTI 48

/*
 * Attaches `program` to `count` offsets of the file, each with the semaphore at that offset and its
 * cookie. Returns the link's descriptor, close-on-exec, or a negative errno.
 */
int frec__uprobe_multi_attach(int program, const char *path, const uint64_t *offsets,
			      const uint64_t *semaphores, const uint64_t *cookies, size_t count);

#endif
