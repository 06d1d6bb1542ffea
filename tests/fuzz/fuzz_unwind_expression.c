// SPDX-License-Identifier: MIT
// Fuzzes DWARF expressions: evaluating one must end and stay within the bytes.
#include <stdlib.h>
#include <string.h>

#include "unwind/expression.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t bytes[16] = {1, 2, 3};
	const struct frec_stack stack = {0x7000, (const uint8_t *)bytes, sizeof(bytes)};
	struct frec_cpu cpu = {.known = 0xffff};
	const struct frec_expression_context context = {&frec__registers_x86_64, &cpu, &stack,
							0x1000};
	uint64_t initial = 0x7010, result;
	uint8_t *copy = malloc(size + !size);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	for (unsigned int i = 0; i < 16; i++)
		cpu.value[i] = 0x7000 + 4 * i;
	frec__expression(&context, copy, (uint32_t)size, &initial, &result);
	free(copy);
	return 0;
}
