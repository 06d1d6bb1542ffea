/* SPDX-License-Identifier: MIT */
/* Compiled as C and as C++. Exits with 0 if the argument is the number of events that are loaded,
 * and the header and the library have the same version. */
#include <flightrec/event.h>

#include <stdlib.h>

enum { LINK_ONE = 1, LINK_TWO = 2 };
#include "link_event.h"

#ifdef __cplusplus
extern "C"
#endif
	int
	link_other(void);

FREC_EVENT(link, used, FREC_U64(number));

int main(int argc, char **argv)
{
	struct frec_stats stats = {sizeof(stats), 0, 0, 0, 0, 0, 0, 0, 0, 0};

	frec_link_used(1);
	FREC_EMIT(link, nothing);
	if (frec_version_number() != FREC_VERSION_NUMBER || frec_stats_read(&stats))
		return 2;
	return argc == 2 && stats.events == (uint64_t)atoi(argv[1]) ? link_other() : 1;
}
