/* SPDX-License-Identifier: MIT */
/* The check of a snapshot's coverage and loss figures against the counts of its records. */
#ifndef FREC_EXPORT_VERIFY_LOSS_H
#define FREC_EXPORT_VERIFY_LOSS_H

#include "export/read/snapshot.h"
#include "export/verify_report.h"

/* The loss figures of a source on a CPU, and what its records add up to. */
struct frec_loss_check {
	const Flightrec__Loss *loss;
	uint64_t seen; /* events that were counted in the source's records on that CPU */
};

/* The coverage of a ring, and what its records add up to. */
struct frec_cpu_check {
	const Flightrec__CpuCoverage *coverage;
	uint64_t records, bytes, filtered;
	uint64_t older; /* records older than the coverage */
};

struct frec_loss_checks {
	const struct frec_snapshot *snapshot;
	struct frec_loss_check *losses; /* sorted by source, then CPU */
	struct frec_cpu_check *cpus;	/* sorted by CPU, then ring */
};

/* Makes sorted lists of the file's figures, with space for the counts beside them. Returns 0 or
 * -ENOMEM. */
int frec__loss_checks_init(struct frec_loss_checks *checks, const struct frec_snapshot *snapshot);
void frec__loss_checks_deinit(struct frec_loss_checks *checks);

/* These two return the entry in which to count a record, or NULL if the file has no figure for
 * it. */
struct frec_loss_check *frec__loss_checks_source(const struct frec_loss_checks *checks,
						 uint32_t source, uint32_t cpu);
struct frec_cpu_check *frec__loss_checks_cpu(const struct frec_loss_checks *checks, uint32_t cpu,
					     uint32_t ring);

/* Compares the counts with the figures, and the figures with each other. */
void frec__loss_checks_compare(struct frec_loss_checks *checks, struct frec_verify_report *report);

#endif
