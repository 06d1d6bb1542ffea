/* SPDX-License-Identifier: MIT */
/* What only people at a terminal get: colours and a pager. */
#ifndef FREC_TOOLS_TERMINAL_H
#define FREC_TOOLS_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

enum frec_when { FREC_WHEN_AUTO, FREC_WHEN_ALWAYS, FREC_WHEN_NEVER };

/* Parses auto, always or never. Returns false for anything else. */
bool frec__terminal_parse_when(const char *word, enum frec_when *ret);

/* Returns whether standard output is to be coloured. FREC_WHEN_AUTO means yes if it is a terminal,
 * TERM is not "dumb", and NO_COLOR is empty or unset. */
bool frec__terminal_colored(enum frec_when when);

struct frec_pager {
	int fd; /* write here instead of to standard output */
	pid_t pid;
};

/*
 * If standard output is a terminal, starts $PAGER, or else less(1), and ignores SIGPIPE and SIGINT
 * from then on: if the user leaves the pager, writing fails with EPIPE. Otherwise, or if no pager
 * can be started, `fd` is standard output.
 */
void frec__pager_start(struct frec_pager *pager);

/*
 * Closes the pager's input and waits until the pager ends. Does nothing if no pager was started.
 * Returns false if the shell could not run the command in PAGER, so that nobody has seen the
 * output; else true.
 */
bool frec__pager_end(struct frec_pager *pager);

#endif
