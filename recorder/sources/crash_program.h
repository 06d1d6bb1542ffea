/* SPDX-License-Identifier: MIT */
/* The BPF program that records details of a fatal signal (crash.bpf.c), and the struct frec_source
 * of these records. */
#ifndef FREC_RECORDER_SOURCES_CRASH_PROGRAM_H
#define FREC_RECORDER_SOURCES_CRASH_PROGRAM_H

#include "recorder/sources/source.h"

struct frec_crash_program;

/*
 * Loads and attaches the program, and initialises `source` with the description of its records. The
 * caller opens the source on each ring like any other. `stack_copied`: how many bytes of stack
 * perf's records in the crash rings have at most; the program copies what they lack. `ring_size`:
 * bytes of a crash ring. Returns 0, or a negative errno with a message if the kernel or the rights
 * of this process do not allow the program; crashes are then recorded without these details.
 */
int frec__crash_program_create(struct frec_crash_program **ret, struct frec_source *source,
			       uint32_t stack_copied, size_t ring_size, struct frec_error *reterr);

/* NULL is fine. */
void frec__crash_program_destroy(struct frec_crash_program *program);

#endif
