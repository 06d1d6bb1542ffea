/* SPDX-License-Identifier: MIT */
/* The BPF program that tells more about a fatal signal (crash.bpf.c), and its source in the
 * rings. */
#ifndef FREC_RECORDER_SOURCES_CRASH_PROGRAM_H
#define FREC_RECORDER_SOURCES_CRASH_PROGRAM_H

#include "recorder/sources/source.h"

struct frec_crash_program;

/*
 * Loads and attaches the program and describes what it writes as `source`, which is then opened on
 * each ring like any other. Where the kernel or our rights do not allow it, returns a negative
 * errno: a crash is then recorded without its faulting address.
 */
int frec__crash_program_create(struct frec_crash_program **ret, struct frec_source *source,
			       struct frec_error *reterr);

/* NULL is fine. */
void frec__crash_program_destroy(struct frec_crash_program *program);

#endif
