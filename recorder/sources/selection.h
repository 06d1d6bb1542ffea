/* SPDX-License-Identifier: MIT */
/*
 * Parses the argument of -e. Its first word determines the kind of selection:
 *
 *	usdt:FILE:PROVIDER:PROBE[:argN=str]...	the USDT probes of any program or library;
 *						argN=str[argM] is a text of length argM
 *	tp_btf:NAME				the arguments of a kernel tracepoint
 *	SYSTEM:NAME				an event that tracefs lists: user events and
 *						tracepoints
 *
 * PROVIDER, PROBE, SYSTEM and NAME are globs (fnmatch(3)). Options in slashes can follow, as in
 * shop:paid/stack=dwarf,bytes=4096/. Options begin at the first '/' after the last ':', because
 * paths contain slashes too.
 */
#ifndef FREC_RECORDER_SOURCES_SELECTION_H
#define FREC_RECORDER_SOURCES_SELECTION_H

#include <stdint.h>

#include "proto/error.h"
#include "recorder/sources/foreign_record.h"
#include "recorder/sources/stack_choice.h"

enum frec_selection_kind {
	FREC_SELECT_EVENT,
	FREC_SELECT_USDT,
	FREC_SELECT_RAW_TRACEPOINT,
};

struct frec_selection {
	enum frec_selection_kind kind;
	char *text;	      /* the argument of -e as given */
	const char *file;     /* usdt: a path if it has a '/', else a program's or library's name */
	const char *provider; /* usdt */
	const char *name;     /* usdt: the probe; tp_btf: the tracepoint; an event: SYSTEM:NAME */
	uint32_t strings;     /* usdt: bit n is set if argument n is recorded as text */
	/* usdt: for each text the number of the argument that is its length, or FREC_USDT_TO_NUL */
	uint8_t length[FREC_USDT_ARGUMENTS_MAX];
	struct frec_stack_choice stack;
	char *pieces; /* a copy of `text`, cut up; `file`, `provider` and `name` point into it */
};

/* Returns the kind of a selection, determined by its first word alone. The rest of `text` may be
 * invalid. */
enum frec_selection_kind frec__selection_kind(const char *text);

/*
 * Cuts the first selection off the comma-separated list `*rest` and returns it. Commas within
 * options do not separate selections. Sets `*rest` to the remaining list, or to NULL if the
 * returned selection was the last.
 */
char *frec__selection_next(char **rest);

/* Parses `text`. Returns 0, or -ENOMEM or -EINVAL with a message. */
int frec__selection_parse(struct frec_selection *selection, const char *text,
			  struct frec_error *reterr);
void frec__selection_deinit(struct frec_selection *selection);

#endif
