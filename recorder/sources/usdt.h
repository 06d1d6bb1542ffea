/* SPDX-License-Identifier: MIT */
/*
 * The usdt transport: breakpoints at the sites of events, and a BPF program that writes the payload
 * into the rings.
 *
 * Breakpoints belong to files and not to processes: every process that runs the file, now or later,
 * hits them. When they are set, the kernel increments the events' enable words (USDT semaphores) in
 * each of these processes. When the recorder ends, even by SIGKILL, the kernel removes the
 * breakpoints and decrements the words.
 */
#ifndef FREC_RECORDER_SOURCES_USDT_H
#define FREC_RECORDER_SOURCES_USDT_H

#include "recorder/sources/bpf_output.h"
#include "recorder/declared/declarations.h"

struct frec_usdt;

/*
 * Loads the BPF program. `one_by_one` selects the method for kernels that cannot set all
 * breakpoints of a file at once (before Linux 6.6); those kernels use it in any case. Returns 0, or
 * a negative errno with a message that says what is missing.
 */
int frec__usdt_create(struct frec_usdt **ret, bool one_by_one, struct frec_error *reterr);

/* Removes every breakpoint. NULL is fine. */
void frec__usdt_destroy(struct frec_usdt *usdt);

/* Returns the output of the BPF program, which lives as long as `usdt`. */
struct frec_bpf_output *frec__usdt_output(struct frec_usdt *usdt);

/* A breakpoint at a site. Its records belong to the source that has this slot. */
struct frec_usdt_target {
	uint64_t offset, enable; /* where the site and its enable word are in the file */
	uint32_t slot;
};

/*
 * Sets breakpoints in an open file, which remains the caller's. Once this has returned 0, every
 * process that runs the file is recorded. Otherwise it returns a negative errno with a message, and
 * some of the breakpoints may be set.
 */
int frec__usdt_attach(struct frec_usdt *usdt, int fd, const struct frec_usdt_target *targets,
		      size_t count, struct frec_error *reterr);

/*
 * Returns whether this kernel turns a breakpoint on the long no-op of a site into a call, which is
 * faster, and does so without harm to the children of a process.
 */
bool frec__usdt_optimised(const struct frec_usdt *usdt);

#endif
