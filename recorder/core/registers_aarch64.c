// SPDX-License-Identifier: MIT
// aarch64: registers x0 to x30, sp and pc come in the order of perf's numbers.
#include "recorder/core/registers.h"

#include <errno.h>
#include <string.h>

#include "recorder/rings/registers.h"

#ifdef __aarch64__
int frec__core_registers(const void *set, size_t size, uint64_t ret[FREC_CORE_REGISTERS_MAX])
{
	const size_t wanted =
		sizeof(uint64_t) * (size_t)__builtin_popcountll(frec__perf_user_registers);

	if (size < wanted)
		return -EBADMSG;
	memcpy(ret, set, wanted);
	return 0;
}
#endif
