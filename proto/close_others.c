// SPDX-License-Identifier: MIT
#include "proto/close_others.h"

#include <sys/syscall.h>
#include <unistd.h>

static void close_range_of(unsigned int first, unsigned int last)
{
	if (first <= last)
		syscall(SYS_close_range, first, last, 0);
}

void frec__close_others(int first, const int *kept, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (kept[i] < first)
			continue;
		if (kept[i] > first)
			close_range_of((unsigned int)first, (unsigned int)kept[i] - 1);
		first = kept[i] + 1;
	}
	close_range_of((unsigned int)first, ~0u);
}
