/* SPDX-License-Identifier: MIT */
/* Checks whether a snapshot holds what it claims to hold. */
#ifndef FREC_EXPORT_VERIFY_H
#define FREC_EXPORT_VERIFY_H

#include "export/output.h"
#include "export/read/snapshot.h"

struct frec_verify_options {
	bool json;
	/* If not NULL, called after each chunk with how many bytes of records have been checked,
	 * and how many there are in all. */
	void (*progress)(void *data, uint64_t done, uint64_t total);
	void *progress_data;
};

/*
 * Verifies checksums, counts, every record and payload, coverage, and the loss arithmetic. Writes
 * one line for each problem and a summary, or one JSON object
 * {"file","ok","parts","records","problems":[...]}. Returns 0 if the check could be made, whatever
 * it found, with the number of problems in *ret_problems; else a negative errno. Does not commit
 * the output. `options` may be NULL.
 */
int frec__verify(struct frec_snapshot *snapshot, const struct frec_verify_options *options,
		 struct frec_output *output, uint64_t *ret_problems, struct frec_error *reterr);

#endif
