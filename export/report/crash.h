/* SPDX-License-Identifier: MIT */
/* Words for how a process died, why the snapshot was taken, and how much of the recording is
 * missing. */
#ifndef FREC_EXPORT_REPORT_CRASH_H
#define FREC_EXPORT_REPORT_CRASH_H

#include "export/read/processes.h"
#include "export/read/snapshot.h"
#include "export/read/text.h"

/* Adds the name of the signal, or its number if it has no name: "SIGSEGV", "signal 64". */
void frec__crash_signal(struct frec_text *text, const Flightrec__Crash *crash);

/* Adds the name of the signal's code, such as "SEGV_MAPERR" or "SI_USER". If the code has no name,
 * adds its number. If no code was recorded, adds "unknown". */
void frec__crash_code(struct frec_text *text, const Flightrec__Crash *crash);

/* Returns what the code means, such as "address not mapped", or NULL if that is not known. */
const char *frec__crash_code_words(const Flightrec__Crash *crash);

/* Adds what happened, without a newline: "shopd[123] died of SIGSEGV (address not mapped) at 0x0,
 * thread worker-1[125]". */
void frec__crash_headline(struct frec_text *text, const Flightrec__Crash *crash);

/* Adds the arguments, separated by spaces and safe on a terminal. Arguments that are empty or have
 * spaces are in quotes. */
void frec__crash_command_line(struct frec_text *text, const Flightrec__Crash *crash);

/* Returns the kind of trigger: "crash", "request", ... */
const char *frec__trigger_kind(const Flightrec__Trigger *trigger);

/* Returns the name of the process that asked for the snapshot, such as a worker of the service, or
 * NULL if there is none in the file. */
const ProtobufCBinaryData *frec__trigger_process_name(const struct frec_snapshot *snapshot);

/* Returns whether the recorder had the right to watch the kernel. A recorder without this right
 * learned nothing about signals, threads and names. */
bool frec__kernel_watched(const struct frec_snapshot *snapshot);

/* Returns "user_events", "usdt", "shm" or "kernel", or "unknown" if `transport` is any other
 * number. */
const char *frec__transport_name(Flightrec__Transport transport);

/* Returns how many sources of the snapshot this transport carried. */
size_t frec__transport_sources(const struct frec_snapshot *snapshot,
			       Flightrec__Transport transport);

struct frec_loss_sum {
	size_t parts; /* how many Loss parts were added up */
	uint64_t emitted, in_file, filtered, overwritten, lost;
	uint64_t destroyed; /* how many of `lost` were in rings that services write */
};

/* Adds up the losses of one source or, if `source` is NULL, of all sources. The sum covers all
 * CPUs. `emitted` counts events that were emitted before the rings were copied. */
void frec__loss_sum(const struct frec_snapshot *snapshot, const Flightrec__Source *source,
		    struct frec_loss_sum *ret);

#endif
