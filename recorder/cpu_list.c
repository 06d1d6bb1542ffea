// SPDX-License-Identifier: MIT
// Parses lists of CPUs.
#include "recorder/cpu_list.h"

#include <errno.h>
#include <stdlib.h>

// No kernel can have more.
#define CPUS_MAX 65536

int frec__each_cpu(const char *list, int (*visit)(void *context, int cpu), void *context)
{
	int r = 0;

	while (*list && *list != '\n' && !r) {
		char *end;
		long first = strtol(list, &end, 10), last = first;

		if (end == list)
			return -EBADMSG;
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		if (first < 0 || last >= CPUS_MAX)
			return -EBADMSG;
		for (long cpu = first; cpu <= last && !r; cpu++)
			r = visit(context, (int)cpu);
		list = *end == ',' ? end + 1 : end;
	}
	return r;
}
