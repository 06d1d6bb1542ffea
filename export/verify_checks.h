/* SPDX-License-Identifier: MIT */
/* The state that the two halves of verify share: verify.c checks records and counts them,
 * verify_loss.c compares the counts with the file's coverage and loss figures. Declares what
 * verify_loss.c defines. */
#ifndef FREC_EXPORT_VERIFY_CHECKS_H
#define FREC_EXPORT_VERIFY_CHECKS_H

#include "export/read/text.h"
#include "export/verify.h"

struct frec_loss_check {
	const Flightrec__Loss *loss;
	uint64_t seen; /* events in the records of this source on this CPU */
};

/* One ring. */
struct frec_cpu_check {
	const Flightrec__CpuCoverage *coverage;
	uint64_t records, bytes, filtered;
	uint64_t older; /* records older than the coverage */
};

struct frec_verify {
	struct frec_snapshot *snapshot;
	struct frec_verify_options options;
	struct frec_output *output;
	struct frec_loss_check *losses; /* sorted by source, then CPU */
	struct frec_cpu_check *cpus;	/* sorted by CPU, then ring */
	uint64_t problems, records;
	struct frec_text line, scratch;
	struct frec_error *reterr;
	int error; /* 0, or the first failure to write */
};

/* Writes one sentence. */
__attribute__((format(printf, 2, 3))) void frec__verify_problem(struct frec_verify *verify,
								const char *format, ...);

/* Sorts the file's figures so that counts can be kept beside them. Returns 0 or -ENOMEM. */
int frec__verify_losses_init(struct frec_verify *verify);
void frec__verify_losses_deinit(struct frec_verify *verify);

/* Find the figure to count a record under. NULL: the file has none for it. */
struct frec_loss_check *frec__verify_find_loss(struct frec_verify *verify, uint32_t source,
					       uint32_t cpu);
struct frec_cpu_check *frec__verify_find_cpu(struct frec_verify *verify, uint32_t cpu,
					     uint32_t ring);

/* Compares the counts with the figures, and the figures with each other. */
void frec__verify_losses(struct frec_verify *verify);

#endif
