/* SPDX-License-Identifier: MIT */
/* Words for how a process died, why the snapshot was taken, and how much of the recording is
 * missing. */
#ifndef FREC_EXPORT_CRASH_H
#define FREC_EXPORT_CRASH_H

#include "export/processes.h"
#include "export/snapshot.h"
#include "export/text.h"

/* "SIGSEGV", "signal 64" */
void frec__crash_signal(struct frec_text *text, const Flightrec__Crash *crash);

/* "SEGV_MAPERR", "SI_USER", "17" */
void frec__crash_code(struct frec_text *text, const Flightrec__Crash *crash);

/* The same in words, "address not mapped", or NULL. */
const char *frec__crash_code_words(const Flightrec__Crash *crash);

/* What happened, in one line: "shopd[123] died of SIGSEGV (address not mapped) at 0x0, thread
 * worker-1[125]". */
void frec__crash_headline(struct frec_text *text, const Flightrec__Crash *crash);

/* Arguments separated by spaces, valid UTF-8; those with spaces in quotes. */
void frec__crash_command_line(struct frec_text *text, const Flightrec__Crash *crash);

/* "crash", "request", ... */
const char *frec__trigger_kind(const Flightrec__Trigger *trigger);

struct frec_loss_sum {
	size_t parts; /* how many Loss parts were added up */
	uint64_t emitted, in_file, filtered, overwritten, lost;
};

/* Adds up over all CPUs, for one source or (NULL) for all. `emitted` is emitted_before: what was
 * emitted before the copy. */
void frec__loss_sum(const struct frec_snapshot *snapshot, const Flightrec__Source *source,
		    struct frec_loss_sum *ret);

#endif
