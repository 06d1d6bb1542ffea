// SPDX-License-Identifier: MIT
// Parsing what `run`, `record` and the keeper are told.
#include "tools/record_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/service/control.h"
#include "tools/cli.h"

void frec__record_options_init(struct frec_record_options *options)
{
	*options = (struct frec_record_options){
		.engine = {.ring_size = FREC_RING_SIZE_DEFAULT,
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
			options->engine.folder = optarg;
			break;
		case RING_SIZE:
			if (parse_ring_size(optarg, &options->engine.ring_size))
				return -1 - frec__cli_usage(
						    usage,
						    "--ring-size %s: a power of two from 64K to 1G",
						    optarg);
			break;
		case STACK:
			options->engine.stack.bytes = FREC_STACK_BYTES_DEFAULT;
			if (optarg && frec__stack_parse_bytes(optarg, &options->engine.stack.bytes))
				return -1 -
				       frec__cli_usage(usage,
						       "--stack=%s: a number of bytes from 8 to %u",
						       optarg, FREC_STACK_BYTES_MAX);
			break;
		case QUOTA:
			if (frec__parse_size(optarg, &options->engine.quota))
				return -1 - frec__cli_usage(usage,
							    "--quota %s: a size such as 500M",
							    optarg);
			break;
		case FALLBACK:
			options->engine.fallback = optarg;
			break;
		case LISTEN:
			options->listen = optarg;
			break;
		case SOCKET:
			options->control = optarg;
			break;
		case PID:
			options->pid = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case TRANSPORT:
			if (parse_transport(optarg, &options->engine.transport))
				return -1 -
				       frec__cli_usage(
					       usage,
					       "--transport %s: auto, user_events, usdt or shm",
					       optarg);
			break;
		case GUARD:
			options->engine.guard = true;
			break;
		case DROP_STACK_BYTES:
			options->engine.drop_stack_bytes = true;
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
	options->engine.selection = options->selection;
	return optind;
}

void frec__control_folder(char *ret, size_t size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	// Root of a user namespace may not be root of the machine.
	if (geteuid() == 0 && !access("/run", W_OK))
		snprintf(ret, size, "%s", FREC_CONTROL_FOLDER);
	else if (runtime && *runtime)
		snprintf(ret, size, "%s/flightrec", runtime);
	else
		snprintf(ret, size, "/tmp/flightrec-%u", geteuid());
}
