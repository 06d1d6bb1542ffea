/* SPDX-License-Identifier: MIT */
/*
 * proto/ is the ground floor of the tree: what the recorder and the exporters share.
 *
 * - The schemas: flightrec.proto, the file format; control.proto, the messages on the control
 *   socket; and the schemas of other formats that are written (perfetto_trace.proto, otlp.proto,
 *   pprof.proto). The build makes C code from them.
 * - The two binary layouts that both sides read: the framing of a file (part.h, crc32c.h) and the
 *   records of perf_event_open(2) (perf_sample.h).
 * - Errors with a message (this header), which every room (folder) that has a parser returns.
 * - Files and folders that appear whole or not at all (new_file.h, new_folder.h), reading a small
 *   file (read_file.h), the clocks (clocks.h), resource limits (limits.h), capabilities (rights.h)
 *   and messages to people (report.h).
 * - A few pieces that C lacks: a checked byte cursor (bytes.h), growing arrays (grow.h), a hash
 *   table (table.h) and scope guards (cleanup.h).
 *
 * Code belongs here if rooms that do not use each other need it, and if it needs no other room:
 * proto/ includes only itself, the C library, kernel headers and protobuf-c. Code for a single room
 * stays in that room, even if it is general. Nothing here starts a thread, or keeps state that a
 * caller could see, except the offsets of the clocks (clocks.h). recorder/service/ does not use
 * proto/, because libflightrec depends on the C library alone.
 */
#ifndef FREC_PROTO_ERROR_H
#define FREC_PROTO_ERROR_H

#include <stdbool.h>

/* A failure, in one sentence: what failed, where, and what to do about it. */
struct frec_error {
	int code;	   /* negative errno; 0: nothing has failed */
	char message[512]; /* without a newline at the end */
};

/* Fills `reterr` (may be NULL) and returns `code`. Does not allocate. A message that is too long is
 * cut. */
__attribute__((format(printf, 3, 4))) int frec__error(struct frec_error *reterr, int code,
						      const char *format, ...);

/* Returns whether `error`, a value of errno, says what this process lacked at that moment (memory,
 * descriptors, another process of ours), and nothing about the file that it worked on. */
bool frec__is_shortage(int error);

#endif
