/* SPDX-License-Identifier: MIT */
/* Attaches one BPF program to many places of a file at once. Linux can do this since 6.6, and
 * libbpf since 1.3. libbpf is not used here because Debian 12 has an older version. */
#ifndef FREC_RECORDER_SOURCES_UPROBE_MULTI_H
#define FREC_RECORDER_SOURCES_UPROBE_MULTI_H

#include <stddef.h>
#include <stdint.h>

/* The expected attach type, which must be set for the program before it is loaded. */
#define FREC_TRACE_UPROBE_MULTI 48

/*
 * Attaches `program` to the file `path` at `count` offsets. At the same index, `semaphores` has the
 * offset of the semaphore and `cookies` the cookie. Returns the descriptor of the link,
 * close-on-exec, or a negative errno.
 */
int frec__uprobe_multi_attach(int program, const char *path, const uint64_t *offsets,
			      const uint64_t *semaphores, const uint64_t *cookies, size_t count);

#endif
