// SPDX-License-Identifier: MIT
// make_hostile OUT KIND [COUNT]: makes a file that is expensive to read; KIND is a name in
// hostile_kinds.
// make_hostile OUT path PATH: makes a snapshot of a process that crashed in code of the file PATH.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/attack/make_hostile.h"

int main(int argc, char **argv)
{
	struct made_file file = {0};

	if (argc == 4 && !strcmp(argv[2], "path"))
		hostile_make_path(&file, argv[3]);
	for (const struct hostile_kind *kind = hostile_kinds; argc >= 3 && kind->name; kind++) {
		if (!strcmp(kind->name, argv[2]))
			kind->make(&file, argc > 3 ? strtoull(argv[3], NULL, 10) : kind->count);
	}
	if (!file.data)
		return fputs("usage: make_hostile OUT KIND [COUNT]\n", stderr), 2;
	make_write(&file, argv[1]);
	free(file.data);
	return 0;
}
