// SPDX-License-Identifier: MIT
// Whatever the bytes are, export neither crashes nor reads outside them. The first byte chooses
// whether the checksums are corrected first, because almost no input would get past them otherwise.
// Seeds: tests/data/make_snapshot, with one byte prepended.
#include <stdlib.h>
#include <string.h>

#include "tests/data/pipeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (!size)
		return 0;
	copy = malloc(size);
	if (!copy)
		return 0;
	memcpy(copy, data + 1, size - 1);
	if (data[0])
		pipeline_repair(copy, size - 1);
	pipeline_run(copy, size - 1);
	free(copy);
	return 0;
}
