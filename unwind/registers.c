// SPDX-License-Identifier: MIT
// Finds the register layout of a recording, which may come from a machine of another architecture.
#include "unwind/registers.h"

#include <string.h>

const struct frec_registers *frec__registers_find(const char *machine)
{
	static const struct frec_registers *const all[] = {&frec__registers_x86_64,
							   &frec__registers_aarch64};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!strcmp(all[i]->machine, machine))
			return all[i];
	}
	return NULL;
}
