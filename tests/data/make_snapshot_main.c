// SPDX-License-Identifier: MIT
// make_snapshot OUT [WORD]...: makes a small file; each WORD is a member of make_options.
// make_snapshot OUT large MEGABYTES [stacks|orders]: makes a file of this size.
// make_snapshot OUT activities|fields: makes a file of events that contain their own description.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/data/make_eventheader.h"

#define LARGE_CPUS 4
#define LARGE_CHUNK ((1u << 20) - 4096)

int main(int argc, char **argv)
{
	struct make_options options = {0};
	const struct {
		const char *word;
		bool *option;
	} words[] = {
		{"zstd", &options.zstd},
		{"wrapped", &options.wrapped},
		{"wrong-loss", &options.wrong_loss},
		{"wrong-count", &options.wrong_count},
		{"late-record", &options.late_record},
		{"late-from", &options.late_from},
		{"oversize", &options.oversize},
		{"hostile", &options.hostile},
		{"unknown-source", &options.unknown_source},
		{"markup", &options.markup},
		{"noise", &options.noise},
		{"no-crash", &options.no_crash},
		{"other-host", &options.other_host},
		{"other-recorder", &options.other_recorder},
		{"stacks", &options.stacks},
	};
	struct made_file file;

	if (argc < 2)
		return 2;
	if (argc >= 4 && !strcmp(argv[2], "large")) {
		const struct make_large_options large = {
			.cpus = LARGE_CPUS,
			.chunks = (unsigned int)atoi(argv[3]) / LARGE_CPUS,
			.chunk_size = LARGE_CHUNK,
			.stacks = argc > 4 && !strcmp(argv[4], "stacks"),
			.orders = argc > 4 && !strcmp(argv[4], "orders"),
		};
		int fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		if (fd < 0)
			return 1;
		make_large(fd, &large);
		return close(fd) != 0;
	}
	if (argc == 3 && (!strcmp(argv[2], "activities") || !strcmp(argv[2], "fields"))) {
		(argv[2][0] == 'a' ? make_activities : make_eventheader_fields)(&file);
		make_write(&file, argv[1]);
		free(file.data);
		return 0;
	}
	for (int i = 2; i < argc; i++) {
		size_t k = 0;

		while (k < sizeof(words) / sizeof(words[0]) && strcmp(words[k].word, argv[i]))
			k++;
		if (k == sizeof(words) / sizeof(words[0])) {
			fprintf(stderr, "make_snapshot: %s: no such word\n", argv[i]);
			return 2;
		}
		*words[k].option = true;
	}
	make_small(&file, &options);
	make_write(&file, argv[1]);
	free(file.data);
	return 0;
}
