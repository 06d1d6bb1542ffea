/* SPDX-License-Identifier: MIT */
/* Does a snapshot hold what it says it holds? */
#ifndef FREC_EXPORT_VERIFY_H
#define FREC_EXPORT_VERIFY_H

#include "export/output.h"
#include "export/read/snapshot.h"

struct frec_verify_options {
	bool json;
	/* Called after each chunk, when not NULL, with bytes of the snapshot's records done and in
	 * all. */
	void (*progress)(void *data, uint64_t done, uint64_t total);
	void *progress_data;
};

/*
 * Checks the checksums, the counts, every record and payload, coverage and the loss arithmetic.
 * Writes a line a problem and a summary, or one JSON object
 * {"file","ok","parts","records","problems":[...]}. Returns 0 when it could check, whatever it
 * found, and the number of problems in *ret_problems; else a negative errno. Does not commit the
 * output. `options` may be NULL.
 */
int frec__verify(struct frec_snapshot *snapshot, const struct frec_verify_options *options,
		 struct frec_output *output, uint64_t *ret_problems, struct frec_error *reterr);

#endif
