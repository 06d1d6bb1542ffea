// SPDX-License-Identifier: MIT
// The table of options of `run`, `record` and the keeper.
#include "tools/record_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "recorder/ring_size.h"

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

static int add_selections(void *data, const char *value, struct frec_error *reterr)
{
	struct frec_record_options *options = data;
	// The list is cut into pieces in place: arguments of a command line may be modified.
	char *list = (char *)value;

	while (list) {
		const char *one = frec__selection_next(&list);

		if (!*one)
			continue;
		if (options->selections == FREC_SELECTIONS_MAX)
			return frec__error(reterr, -E2BIG, "more than %d -e", FREC_SELECTIONS_MAX);
		options->selection[options->selections++] = one;
	}
	return 0;
}

static int parse_stack(void *data, const char *value, struct frec_error *reterr)
{
	uint32_t *bytes = data;

	*bytes = FREC_STACK_BYTES_DEFAULT;
	if (value && frec__stack_parse_bytes(value, bytes))
		return frec__error(reterr, -EINVAL, "--stack=%s: a number of bytes from 8 to %u",
				   value, FREC_STACK_BYTES_MAX);
	return 0;
}

static int parse_ring_size(void *data, const char *value, struct frec_error *reterr)
{
	uint64_t size, *ring_size = data;

	(void)reterr;
	if (frec__parse_size(value, &size) || size < FREC_RING_SIZE_MIN ||
	    size > FREC_RING_SIZE_MAX || size & (size - 1))
		return -EINVAL;
	*ring_size = size;
	return 0;
}

static int parse_quota(void *data, const char *value, struct frec_error *reterr)
{
	(void)reterr;
	return frec__parse_size(value, data);
}

static int parse_transport(void *data, const char *value, struct frec_error *reterr)
{
	enum frec_transport *transport = data;

	(void)reterr;
	for (unsigned int i = 0; i < FREC_TRANSPORT_COUNT; i++) {
		if (!strcmp(value, frec__transport_names[i])) {
			*transport = i;
			return 0;
		}
	}
	return -EINVAL;
}

void frec__record_options_init(struct frec_record_options *options)
{
	struct frec_engine_options *engine = &options->session.engine;
	const struct frec_option table[FREC_RECORD_OPTIONS] = {
		{.letter = 'e',
		 .name = "event",
		 .value = "EVENT",
		 .parse = add_selections,
		 .data = options,
		 .help = "what to record: a glob over SYSTEM:NAME, or a list with commas; may be "
			 "given several times (default '*:*', every user event; kernel tracepoints "
			 "by their system: 'sched:sched_*'); "
			 "usdt:FILE:PROVIDER:PROBE[:argN=str]... for the USDT probes of any "
			 "program or library, tp_btf:NAME for kernel tracepoints by their "
			 "arguments; EVENT/stack=KIND/ adds stacks: fp, kernel, dwarf[,bytes=N], "
			 "several joined by '+', or none"},
		{.name = "stack",
		 .value = "=BYTES",
		 .parse = parse_stack,
		 .data = &engine->stack.bytes,
		 .help = "registers and BYTES bytes of stack, to be unwound later, with every "
			 "EVENT that has no stack options (default 8192, at most 65528)"},
		{.letter = 'o',
		 .name = "output",
		 .value = "DIR",
		 .text = &engine->folder,
		 .help = "the folder for snapshots (default .)"},
		{.name = "ring-size",
		 .value = "SIZE",
		 .parse = parse_ring_size,
		 .data = &engine->ring_size,
		 .expected = "a power of two from 64K to 1G",
		 .help = "bytes per CPU, with K, M or G (default 4M, or less: what an "
			 "eighth of the memory limit of a container holds)"},
		{.name = "quota",
		 .value = "SIZE",
		 .parse = parse_quota,
		 .data = &engine->quota,
		 .expected = "a size such as 500M",
		 .help = "remove the oldest snapshots in DIR above this size (default 1G, 0: "
			 "never)"},
		{.name = "fallback",
		 .value = "DIR",
		 .text = &engine->fallback,
		 .help = "the folder for snapshots if DIR cannot be written (default "
			 "" FREC_FALLBACK_DEFAULT ")"},
		{.name = "transport",
		 .value = "HOW",
		 .parse = parse_transport,
		 .data = &engine->transport,
		 .expected = "auto, user_events, usdt or shm",
		 .help = "how events of services reach the recorder: user_events, usdt, shm, or "
			 "auto, the first of these that works here (default auto)"},
		{.name = "guard",
		 .flag = &engine->guard,
		 .help = "with shm: services can write to the shared memory only while they emit "
			 "an event (memory protection keys)"},
		{.name = "drop-stack-bytes",
		 .flag = &engine->drop_stack_bytes,
		 .help = "unwind stacks when a snapshot is written, and keep only the addresses of "
			 "frames"},
		{.name = "socket",
		 .value = "SOCKET",
		 .text = &options->session.control,
		 .help = "the socket for `flightrec trigger` and `flightrec status` (default "
			 "/run/flightrec/PID.sock)"},
		{0}};

	*options = (struct frec_record_options){
		.session.engine = {.folder = ".",
				   .fallback = FREC_FALLBACK_DEFAULT,
				   .quota = FREC_QUOTA_DEFAULT},
	};
	memcpy(options->table, table, sizeof(table));
}

void frec__record_options_finish(struct frec_record_options *options)
{
	if (!options->selections)
		options->selection[options->selections++] = "*:*";
	if (!options->session.engine.ring_size) {
		const struct frec_ring_bounds bounds = frec__ring_bounds();

		options->session.engine.ring_size = frec__ring_size_within(&bounds);
	}
	options->session.engine.selection = options->selection;
}
