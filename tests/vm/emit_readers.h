/* SPDX-License-Identifier: MIT */
/* Listening to user events for the emit test: with ftrace as text, and with perf as bytes. */
#ifndef EMIT_READERS_H
#define EMIT_READERS_H

#include <stdbool.h>
#include <stddef.h>

/* The path at which tracefs is mounted. */
extern const char *tracefs;

/* Reads a file of tracefs. Returns its text in a static buffer, or "" if it cannot be read. */
const char *read_tracefs(const char *name);
bool write_tracefs(const char *name, const char *text);

/* Switches ftrace on or off for an event, such as "user_events/vm__both". Returns whether
 * it could. */
bool listen_to(const char *event, bool on);

/* Counts the lines of the trace that contain `text`. */
int trace_count(const char *text);
void trace_clear(void);

/* Listens to one event of this thread with perf. Returns a descriptor and sets `*ret_ring` to its
 * mapping, or returns -1. */
int perf_open(const char *event, void **ret_ring);
/* Copies the payload of the only record to `to`, without the kernel's common fields. Returns its
 * size, or -1 if there is no record. */
long perf_read(void *ring, void *to, size_t size);
void perf_close(int fd, void *ring);

#endif
