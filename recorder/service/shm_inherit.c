// SPDX-License-Identifier: MIT
// The memory that `flightrec run` hands to what it runs. Whoever started this process chose the
// environment: so a program with more rights than that one looks at nothing, and a descriptor is
// only mapped when it is a sealed memfd of a recorder.
#include <errno.h>
#include <stdlib.h>

#include "recorder/service/shm_emit.h"

void frec__shm_inherit(void)
{
	const char *text = secure_getenv(FREC_SHM_VARIABLE);
	int saved_errno = errno;
	char *end;
	long fd;

	if (!text)
		return;
	fd = strtol(text, &end, 10);
	if (end != text && !*end && fd >= 0 && fd < 1 << 20)
		(void)frec__shm_attach((int)fd);
	errno = saved_errno;
}
