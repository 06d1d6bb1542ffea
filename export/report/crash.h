/* SPDX-License-Identifier: MIT */
/* Words for how a process died, why the snapshot was taken, and how much of the recording is
 * missing. */
#ifndef FREC_EXPORT_REPORT_CRASH_H
#define FREC_EXPORT_REPORT_CRASH_H

#include "export/read/processes.h"
#include "export/read/snapshot.h"
#include "export/read/text.h"

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

/* Whether the recorder had the right to watch the kernel. Without it, it learned nothing of
 * signals, threads and names. */
bool frec__kernel_watched(const struct frec_snapshot *snapshot);

/* "user_events", "usdt", "shm", "kernel" */
const char *frec__transport_name(Flightrec__Transport transport);

/* How many sources of the snapshot it carried. */
size_t frec__transport_sources(const struct frec_snapshot *snapshot,
			       Flightrec__Transport transport);

struct frec_loss_sum {
	size_t parts; /* how many Loss parts were added up */
	uint64_t emitted, in_file, filtered, overwritten, lost;
	uint64_t destroyed; /* those of `lost` that were in rings which services write */
};

/* Adds up the losses of all CPUs, for one source or (NULL) for all. `emitted` is the sum of
 * emitted_before: events that were emitted before the copy. */
void frec__loss_sum(const struct frec_snapshot *snapshot, const Flightrec__Source *source,
		    struct frec_loss_sum *ret);

#endif
