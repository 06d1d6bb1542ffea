/* SPDX-License-Identifier: MIT */
/*
 * What -e says, taken apart. The first word tells what kind of thing is meant:
 *
 *	usdt:FILE:PROVIDER:PROBE[:argN=str]...	the USDT probes of a program or library that knows
 *						nothing of us
 *	tp_btf:NAME				a tracepoint of the kernel's by its arguments
 *	SYSTEM:NAME				what tracefs lists: user events and tracepoints
 *
 * PROVIDER, PROBE, SYSTEM and NAME are globs (fnmatch(3)). Behind each can stand options between
 * slashes, as in shop:paid/stack=dwarf,bytes=4096/: they begin at the first '/' behind the last
 * ':', because paths have slashes too.
 */
#ifndef FREC_RECORDER_SOURCES_SELECTION_H
#define FREC_RECORDER_SOURCES_SELECTION_H

#include <stdint.h>

#include "proto/error.h"
#include "recorder/sources/stack_choice.h"

enum frec_selection_kind {
	FREC_SELECT_EVENT,
	FREC_SELECT_USDT,
	FREC_SELECT_RAW_TRACEPOINT,
};

struct frec_selection {
	enum frec_selection_kind kind;
	char *text; /* as it was given */
	const char *
		/* usdt: a path when there is a '/' in it, else the name of a program or library */
		file;
	const char *provider; /* usdt */
	const char *name;     /* usdt: the probe; tp_btf: the tracepoint; an event: SYSTEM:NAME */
	uint32_t strings;     /* usdt: bit n: argument n is to be read as text */
	struct frec_stack_choice stack;
	char *pieces; /* what the above point into */
};

/* What kind of thing is meant, going by the first word alone: the rest may be wrong. */
enum frec_selection_kind frec__selection_kind(const char *text);

/* Cuts the first selection off a list with commas; those within options part nothing. *rest is NULL
 * behind the last. */
char *frec__selection_next(char **rest);

/* Returns 0, -ENOMEM, or -EINVAL with words. */
int frec__selection_parse(struct frec_selection *selection, const char *text,
			  struct frec_error *reterr);
void frec__selection_deinit(struct frec_selection *selection);

#endif
