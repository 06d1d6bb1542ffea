/* SPDX-License-Identifier: MIT */
/* Everything that export does with a file, on bytes in memory: for tests and fuzzing of hostile
 * input. */
#ifndef FREC_TESTS_PIPELINE_H
#define FREC_TESTS_PIPELINE_H

#include <stddef.h>
#include <stdint.h>

struct pipeline_result {
	int opened;	   /* 0, or the error of opening */
	int damaged;	   /* the code of the snapshot's damage */
	uint64_t problems; /* that verify found */
	uint64_t events;   /* that were exported */
};

/* Opens, exports in all formats, for some inputs also beside other files, shows, verifies; aborts
 * when one of them fails on a file that could be opened. */
struct pipeline_result pipeline_run(const uint8_t *data, size_t size);

/* Exports it beside itself and beside a file of another host, with rules. Returns 0, or why it was
 * refused. */
int pipeline_together(const uint8_t *data, size_t size);

/* Makes the checksums of all parts right again, so that changed bytes get past them. */
void pipeline_repair(uint8_t *data, size_t size);

#endif
