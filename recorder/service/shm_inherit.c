// SPDX-License-Identifier: MIT
// Reading the one environment variable of libflightrec. Whoever started this process chose its
// environment, so the variable is read with secure_getenv(3), which ignores it in a program that
// has more rights than its caller.
#include "recorder/service/shm_inherit.h"

#include <errno.h>
#include <stdlib.h>

#include "recorder/service/shm.h"

#define FD_MAX (1 << 20)

int frec__shm_inherited(void)
{
	const char *text = secure_getenv(FREC_SHM_VARIABLE);
	int saved_errno = errno;
	char *end;
	long fd;

	if (!text)
		return -1;
	fd = strtol(text, &end, 10);
	errno = saved_errno;
	return end != text && !*end && fd >= 0 && fd < FD_MAX ? (int)fd : -1;
}
