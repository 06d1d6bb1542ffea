/* SPDX-License-Identifier: MIT */
/* The BPF program that records details of a fatal signal (crash.bpf.c), and the struct frec_source
 * of these records. */
#ifndef FREC_RECORDER_SOURCES_CRASH_PROGRAM_H
#define FREC_RECORDER_SOURCES_CRASH_PROGRAM_H

#include "recorder/sources/source.h"

struct frec_crash_program;

/*
 * Loads and attaches the program, and initialises `source` with the description of its records. The
 * caller opens the source on each ring like any other. `stacks_in_rings`: the records there have
 * stacks, and not only those in the crash rings. Returns 0, or a negative errno with a
 * message if the kernel or the rights of this process do not allow the program; crashes are then
 * recorded without these details.
 */
int frec__crash_program_create(struct frec_crash_program **ret, struct frec_source *source,
			       bool stacks_in_rings, struct frec_error *reterr);

/* NULL is fine. */
void frec__crash_program_destroy(struct frec_crash_program *program);

#endif
