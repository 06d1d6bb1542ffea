// SPDX-License-Identifier: MIT
// make_perf_data OUT [compressed]: makes a small perf.data file.
#include <stdio.h>
#include <stdlib.h>

#include "tests/data/make_perf_data.h"

int main(int argc, char **argv)
{
	const struct perf_options options = {.events = 100, .compressed = argc > 2};
	struct made_perf made = {0};
	FILE *file = argc > 1 ? fopen(argv[1], "w") : NULL;

	if (!file)
		return 1;
	make_perf_data(&made, &options);
	fwrite(made.data, 1, made.size, file);
	free(made.data);
	return fclose(file) != 0;
}
