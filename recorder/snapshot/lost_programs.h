/* SPDX-License-Identifier: MIT */
/* What is kept of programs whose files nobody will find at their paths: see Program in
 * flightrec.proto. */
#ifndef FREC_RECORDER_SNAPSHOT_LOST_PROGRAMS_H
#define FREC_RECORDER_SNAPSHOT_LOST_PROGRAMS_H

#include "flightrec.pb-c.h"
#include "unwind/unwind.h"

/* At most this many bytes are kept for one file, compressed, this many of one program, and of this
 * many programs. */
#define FREC_LOST_PROGRAMS_BYTES_MAX (32u << 20)
#define FREC_LOST_PROGRAM_BYTES_MAX (16u << 20)
#define FREC_LOST_PROGRAMS_MAX 64

/*
 * Calls `write` with a part of a .frec file for each lost program that the unwinder has opened,
 * until it returns something else than 0, or parts of more than `limit` bytes would be written.
 * Returns 0 or a negative errno. This reads and parses programs of strangers.
 */
int frec__lost_programs_pack(const struct frec_unwinder *unwinder, size_t limit,
			     int (*write)(void *context, const uint8_t *part, size_t size),
			     void *context);

/* Returns whether two of these messages are about the same program. */
bool frec__lost_program_equal(const Flightrec__Program *a, const Flightrec__Program *b);

#endif
