// SPDX-License-Identifier: MIT
// flightrec show: arguments.
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "export/read/input.h"
#include "export/show.h"
#include "tools/cli.h"
#include "tools/symbol_options.h"
#include "tools/terminal.h"

#define USAGE \
	"flightrec show FILE.frec [-n N | --all] [--json] [--color WHEN] [--symbols DIR]... " \
	"[--root DIR]"
#define LAST 20

static const char help[] =
	"usage: " USAGE "\n\n"
	"  -n N           show the last N events (20) of the process that died, and half as many "
	"of others\n"
	"  --all          show all events\n"
	"  --json         one JSON object, for machines\n"
	"  --color WHEN   auto (on a terminal, unless NO_COLOR is set), always or never\n"
	"  --symbols DIR  look for programs and their debugging information below DIR/.build-id\n"
	"                 first; may be given again\n"
	"  --root DIR     programs are below DIR, as in a mounted image\n";

static int show(struct frec_snapshot *snapshot, const struct frec_show_options *options)
{
	struct frec_error error = {0}, trouble = {0};
	struct frec_pager pager = {.fd = STDOUT_FILENO, .pid = -1};
	struct frec_output output;

	if (!options->json)
		frec__pager_start(&pager);
	if (!frec__output_open_stream(&output, pager.fd, &error)) {
		if (frec__show(snapshot, options, &output, &trouble, &error))
			frec__output_discard(&output);
		else
			frec__output_commit(&output, &error);
	}
	// Who leaves the pager has seen enough.
	if (error.code == -EPIPE && pager.pid >= 0)
		error.code = 0;
	frec__pager_end(&pager);
	if (error.code)
		return frec__cli_fail("%s", error.message);
	return trouble.code ? frec__cli_fail("%s", trouble.message) : FREC_EXIT_DONE;
}

int frec_cmd_show(int argc, char **argv)
{
	enum { COLOR = 1000 };
	static const struct option long_options[] = {{"color", required_argument, NULL, COLOR},
						     {"all", no_argument, NULL, 'a'},
						     {"json", no_argument, NULL, 'j'},
						     {"help", no_argument, NULL, 'h'},
						     FREC_SYMBOL_OPTIONS,
						     {0}};
	struct frec_show_options options = {.last = LAST};
	enum frec_when color = FREC_WHEN_AUTO;
	struct frec_snapshot snapshot;
	struct frec_error error = {0};
	struct frec_symbol_options symbols;
	int option, status, taken;
	char *end;

	frec__symbol_options_init(&symbols);
	options.symbols = &symbols.unwinder;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":n:h", long_options, NULL)) != -1) {
		switch (option) {
		case 'n':
			errno = 0;
			options.last = strtoul(optarg, &end, 10);
			if (*optarg < '0' || *optarg > '9' || *end || errno)
				return frec__cli_usage(USAGE, "-n %s: not a number", optarg);
			break;
		case 'a':
			options.all = true;
			break;
		case COLOR:
			if (!frec__terminal_parse_when(optarg, &color))
				return frec__cli_usage(USAGE, "--color %s: auto, always or never",
						       optarg);
			break;
		case 'j':
			options.json = true;
			break;
		default:
			taken = frec__symbol_options_take(&symbols, option, optarg);
			if (taken < 0)
				return frec__cli_usage(USAGE,
						       "--symbols %s: no more than %d of these",
						       optarg, FREC_SYMBOL_FOLDERS_MAX);
			if (taken)
				break;
			return frec__cli_other_option(USAGE, help, option, argv[optind - 1]);
		}
	}
	if (argc - optind != 1)
		return frec__cli_usage(USAGE, "name one snapshot file");
	options.colored = frec__terminal_colored(color);
	if (frec__input_open(&snapshot, argv[optind], &error))
		return frec__cli_fail("%s", error.message);
	status = show(&snapshot, &options);
	frec__input_close(&snapshot);
	return status;
}
