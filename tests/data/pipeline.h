/* SPDX-License-Identifier: MIT */
/* Does everything that export can do with a file, for tests and fuzzers of hostile input. The file
 * is in memory. */
#ifndef FREC_TESTS_PIPELINE_H
#define FREC_TESTS_PIPELINE_H

#include <stddef.h>
#include <stdint.h>

struct pipeline_result {
	int opened;	   /* 0, or the error of opening */
	int damaged;	   /* 0, or the code of the snapshot's damage */
	uint64_t problems; /* found by verify */
	uint64_t events;   /* exported */
};

/* Opens the file, exports it in all formats, shows it and verifies it. Some inputs are also
 * exported together with other files. Aborts if a step fails although the file could be opened. */
struct pipeline_result pipeline_run(const uint8_t *data, size_t size);

/* Exports the file together with itself and with a file of another host, with rules. Returns 0, or
 * an error if the file cannot be opened or if export refused to combine the files. */
int pipeline_together(const uint8_t *data, size_t size);

/* Corrects the checksums of all parts, so that changed bytes are not rejected because of them. */
void pipeline_repair(uint8_t *data, size_t size);

#endif
