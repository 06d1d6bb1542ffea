// SPDX-License-Identifier: MIT
// Protection keys are used on x86_64 only; memory is not guarded here.
#include "recorder/service/shm_sequence.h"

uint32_t frec__shm_guard_open(int key)
{
	(void)key;
	return 0;
}

void frec__shm_guard_close(uint32_t before)
{
	(void)before;
}
