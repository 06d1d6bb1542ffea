/* SPDX-License-Identifier: MIT */
/* The options that `run`, `record` and the keeper share. */
#ifndef FREC_TOOLS_RECORD_OPTIONS_H
#define FREC_TOOLS_RECORD_OPTIONS_H

#include <getopt.h>

#include "recorder/session.h"

#define FREC_RECORD_USAGE \
	"  -e, --event EVENT     what to record: a glob over SYSTEM:NAME, repeatable, or a list " \
	"with commas\n" \
	"                        (default '*:*', every user event; kernel tracepoints by system: " \
	"'sched:sched_*');\n" \
	"                        usdt:FILE:PROVIDER:PROBE[:argN=str]... for the USDT probes of " \
	"any program or library,\n" \
	"                        tp_btf:NAME for kernel tracepoints by their arguments; and " \
	"stacks with each of them by\n" \
	"                        EVENT/stack=KIND/: fp, kernel, dwarf[,bytes=N], several joined " \
	"by '+', or none\n" \
	"      --stack[=BYTES]   registers and so many bytes of stack, to be unwound later, with " \
	"every EVENT that says\n" \
	"                        nothing of stacks itself (default 8192, 65528 at most)\n" \
	"  -o, --output DIR      where snapshots go (default .)\n" \
	"      --ring-size SIZE  bytes per CPU, with K, M or G (default 4M)\n" \
	"      --quota SIZE      remove the oldest snapshots in DIR above this much (default 1G, " \
	"0: never)\n" \
	"      --fallback DIR    where snapshots go when DIR cannot be written " \
	"(default " FREC_FALLBACK_DEFAULT ")\n" \
	"      --transport HOW   how the events of services come in: user_events, usdt, shm, or " \
	"the first of these\n" \
	"                        that works here (default auto)\n" \
	"      --guard           with shm: keep the memory of services read-only but while they " \
	"write (memory protection\n" \
	"                        keys)\n" \
	"      --drop-stack-bytes  unwind stacks when a snapshot is written and keep the " \
	"addresses of their frames alone,\n" \
	"                        nothing of what the functions had there\n"

struct frec_record_options {
	struct frec_session_options session;
	const char *selection[FREC_SELECTIONS_MAX + 1];
	size_t selections;
	uint32_t pid; /* keep: of the service */
	bool json;
};

/* Fills in the defaults. */
void frec__record_options_init(struct frec_record_options *options);

/*
 * Parses argv from argv[1] on. Returns the index of the first argument that is not an option, or
 * -1 - STATUS if the command is to exit with STATUS, after an error or --help was printed.
 */
int frec__record_options_parse(struct frec_record_options *options, int argc, char **argv,
			       const char *usage);

/* Parses a size such as "4M". Returns 0 or -EINVAL. */
int frec__parse_size(const char *text, uint64_t *ret);

#endif
