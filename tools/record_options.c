// SPDX-License-Identifier: MIT
// Parsing the options of `run`, `record` and the keeper.
#include "tools/record_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/cli.h"
#include "tools/recorders.h"

void frec__record_options_init(struct frec_record_options *options)
{
	*options = (struct frec_record_options){
		.session.engine = {.ring_size = FREC_RING_SIZE_DEFAULT,
				   .folder = ".",
				   .fallback = FREC_FALLBACK_DEFAULT,
				   .quota = FREC_QUOTA_DEFAULT},
	};
}

int frec__parse_size(const char *text, uint64_t *ret)
{
	unsigned long long value;
	unsigned int shift = 0;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *text == '-')
		return -EINVAL;
	switch (*end) {
	case 'G':
	case 'g':
		shift += 10;
		/* fall through */
	case 'M':
	case 'm':
		shift += 10;
		/* fall through */
	case 'K':
	case 'k':
		shift += 10;
		end++;
	}
	if (*end || value > UINT64_MAX >> shift)
		return -EINVAL;
	*ret = value << shift;
	return 0;
}

static int parse_ring_size(const char *text, uint64_t *ret)
{
	uint64_t size;

	if (frec__parse_size(text, &size) || size < FREC_RING_SIZE_MIN ||
	    size > FREC_RING_SIZE_MAX || size & (size - 1))
		return -EINVAL;
	*ret = size;
	return 0;
}

static int add_selections(struct frec_record_options *options, char *list)
{
	while (list) {
		const char *one = frec__selection_next(&list);

		if (!*one)
			continue;
		if (options->selections == FREC_SELECTIONS_MAX)
			return -E2BIG;
		options->selection[options->selections++] = one;
	}
	return 0;
}

static int parse_transport(const char *text, enum frec_transport *ret)
{
	for (unsigned int i = 0; i < FREC_TRANSPORT_COUNT; i++) {
		if (!strcmp(text, frec__transport_names[i])) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

enum {
	RING_SIZE = 256,
	STACK,
	QUOTA,
	FALLBACK,
	LISTEN,
	SOCKET,
	PID,
	TRANSPORT,
	GUARD,
	DROP_STACK_BYTES,
	JSON
};

int frec__record_options_parse(struct frec_record_options *options, int argc, char **argv,
			       const char *usage)
{
	static const struct option longs[] = {
		{"event", required_argument, NULL, 'e'},
		{"output", required_argument, NULL, 'o'},
		{"ring-size", required_argument, NULL, RING_SIZE},
		{"stack", optional_argument, NULL, STACK},
		{"quota", required_argument, NULL, QUOTA},
		{"fallback", required_argument, NULL, FALLBACK},
		{"listen", required_argument, NULL, LISTEN},
		{"socket", required_argument, NULL, SOCKET},
		{"pid", required_argument, NULL, PID},
		{"transport", required_argument, NULL, TRANSPORT},
		{"guard", no_argument, NULL, GUARD},
		{"drop-stack-bytes", no_argument, NULL, DROP_STACK_BYTES},
		{"json", no_argument, NULL, JSON},
		{"help", no_argument, NULL, 'h'},
		{0}};
	int option;

	optind = 1;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:e:o:h", longs, NULL)) != -1) {
		switch (option) {
		case 'e':
			if (add_selections(options, optarg))
				return -1 - frec__cli_usage(usage, "more than %d -e",
							    FREC_SELECTIONS_MAX);
			break;
		case 'o':
			options->session.engine.folder = optarg;
			break;
		case RING_SIZE:
			if (parse_ring_size(optarg, &options->session.engine.ring_size))
				return -1 - frec__cli_usage(
						    usage,
						    "--ring-size %s: a power of two from 64K to 1G",
						    optarg);
			break;
		case STACK:
			options->session.engine.stack.bytes = FREC_STACK_BYTES_DEFAULT;
			if (optarg &&
			    frec__stack_parse_bytes(optarg, &options->session.engine.stack.bytes))
				return -1 -
				       frec__cli_usage(usage,
						       "--stack=%s: a number of bytes from 8 to %u",
						       optarg, FREC_STACK_BYTES_MAX);
			break;
		case QUOTA:
			if (frec__parse_size(optarg, &options->session.engine.quota))
				return -1 - frec__cli_usage(usage,
							    "--quota %s: a size such as 500M",
							    optarg);
			break;
		case FALLBACK:
			options->session.engine.fallback = optarg;
			break;
		case LISTEN:
			options->session.listen = optarg;
			break;
		case SOCKET:
			options->session.control = optarg;
			break;
		case PID:
			options->pid = frec__parse_pid(optarg);
			if (!options->pid)
				return -1 - frec__cli_usage(usage, "--pid %s: not a process number",
							    optarg);
			break;
		case TRANSPORT:
			if (parse_transport(optarg, &options->session.engine.transport))
				return -1 -
				       frec__cli_usage(
					       usage,
					       "--transport %s: auto, user_events, usdt or shm",
					       optarg);
			break;
		case GUARD:
			options->session.engine.guard = true;
			break;
		case DROP_STACK_BYTES:
			options->session.engine.drop_stack_bytes = true;
			break;
		case JSON:
			options->json = true;
			break;
		case 'h':
			printf("usage: %s", usage);
			return -1 - FREC_EXIT_DONE;
		case ':':
			return -1 - frec__cli_usage(usage, "%s: an argument is missing",
						    argv[optind - 1]);
		default:
			return -1 - frec__cli_usage(usage, "%s: no such option", argv[optind - 1]);
		}
	}
	if (!options->selections)
		options->selection[options->selections++] = "*:*";
	options->session.engine.selection = options->selection;
	return optind;
}
