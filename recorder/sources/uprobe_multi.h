/* SPDX-License-Identifier: MIT */
/* Attaches one BPF program to many places of a file at once. Linux has this since 6.6; libbpf has
 * it since 1.3, which Debian 12 does not have. */
#ifndef FREC_RECORDER_SOURCES_UPROBE_MULTI_H
#define FREC_RECORDER_SOURCES_UPROBE_MULTI_H

#include <stddef.h>
#include <stdint.h>

/* The expected attach type that the program needs before it is loaded. */
#define FREC_TRACE_UPROBE_MULTI 48

/*
 * Attaches `program` to `count` offsets of the file. Each has the offset of its semaphore and a
 * cookie. Returns the descriptor of the link, close-on-exec, or a negative errno.
 */
int frec__uprobe_multi_attach(int program, const char *path, const uint64_t *offsets,
			      const uint64_t *semaphores, const uint64_t *cookies, size_t count);

#endif
