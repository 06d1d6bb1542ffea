// SPDX-License-Identifier: MIT
// A program of several files under the control of a test. This file emits an event and does not ask
// whether it is on; the others ask and do not emit: asks_file.c in C, asks_other.c for an event of
// the same name with other fields, asks_cxx.cc in C++, and asks_library.c in a shared library.
//
//	emit	emits the event: "ok"
//	ask	answers with 1 or 0 for file, other, cxx and library
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "asks.h"

int main(void)
{
	uint64_t number = 0;
	char line[16];

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready %d\n", getpid());
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "emit\n")) {
			frec_asks_work(++number, "work", 4);
			printf("ok\n");
		} else {
			printf("%d %d %d %d\n", asked_by_file(), asked_by_other_fields(),
			       asked_by_cxx(), asked_by_library());
		}
	}
	return 0;
}
