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
	// The list is cut into pieces in place, because a program may modify its arguments.
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

int frec__parse_pair(struct frec_pairs *pairs, const char *text, struct frec_error *reterr)
{
	size_t size = strcspn(text, "=");
	const char *value = text + size + 1;
	int r = text[size] ? frec__pairs_add(pairs, text, size, value, strlen(value)) : -EINVAL;

	if (r == -E2BIG)
		return frec__error(reterr, r, "%s: there are at most %d of KEY=VALUE", text,
				   FREC_PAIRS_MAX);
	if (r)
		return frec__error(reterr, r,
				   "%s: not KEY=VALUE, where each KEY occurs once and is 1 to %d "
				   "printable ASCII characters without spaces",
				   text, FREC_PAIR_KEY_MAX);
	return 0;
}

static int add_tag(void *data, const char *value, struct frec_error *reterr)
{
	return frec__parse_pair(data, value, reterr);
}

int frec__parse_duration(const char *text, uint64_t *ret)
{
	static const struct {
		const char *unit;
		uint64_t nanoseconds;
	} units[] = {{"ms", 1000000},
		     {"s", 1000000000},
		     {"min", UINT64_C(60) * 1000000000},
		     {"h", UINT64_C(3600) * 1000000000}};
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *text < '0' || *text > '9')
		return -EINVAL;
	// Only 0 needs no unit.
	if (!*end && !value) {
		*ret = 0;
		return 0;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit))
			continue;
		if (value > FREC_DURATION_MAX / units[i].nanoseconds)
			return -EINVAL;
		*ret = value * units[i].nanoseconds;
		return 0;
	}
	return -EINVAL;
}

static int parse_cooldown(void *data, const char *value, struct frec_error *reterr)
{
	(void)reterr;
	return frec__parse_duration(value, data);
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
			 "several joined by '+', or none; or self"},
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
		{.name = "cooldown",
		 .value = "DURATION",
		 .parse = parse_cooldown,
		 .data = &engine->cooldown,
		 .expected = "a duration such as 500ms, 5s or 10min, at most 24h",
		 .help = "at most one snapshot in this time for triggers of the same name and for "
			 "a program that dies again and again; it is of the last of them and says "
			 "how many there were (default 5s, 0: each has its own)"},
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
			 "auto: user_events if the kernel has them, else shm for services that can "
			 "be handed memory, else usdt (default auto)"},
		{.name = "guard",
		 .flag = &engine->guard,
		 .help = "with shm: services can write to the shared memory only while they emit "
			 "an event (memory protection keys); auto does so in any case"},
		{.name = "drop-stack-bytes",
		 .flag = &engine->drop_stack_bytes,
		 .help = "unwind stacks when a snapshot is written, and keep only the addresses of "
			 "frames"},
		{.name = "tag",
		 .value = "KEY=VALUE",
		 .parse = add_tag,
		 .data = &engine->tags,
		 .help = "put this into every snapshot, such as "
			 "deployment.environment.name=production; may be given several times"},
		{.name = "socket",
		 .value = "SOCKET",
		 .text = &options->session.control,
		 .help = "the socket for `flightrec trigger` and `flightrec status` (default "
			 "/run/flightrec/PID.sock)"},
		{0}};

	*options = (struct frec_record_options){
		.session.engine = {.folder = ".",
				   .fallback = FREC_FALLBACK_DEFAULT,
				   .quota = FREC_QUOTA_DEFAULT,
				   .cooldown = FREC_COOLDOWN_DEFAULT},
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
