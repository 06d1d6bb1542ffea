/* SPDX-License-Identifier: MIT */
/* What only people at a terminal get: colours and a pager. */
#ifndef FREC_TOOLS_TERMINAL_H
#define FREC_TOOLS_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

enum frec_when { FREC_WHEN_AUTO, FREC_WHEN_ALWAYS, FREC_WHEN_NEVER };

/* Parses auto, always or never. Returns false for anything else. */
bool frec__terminal_parse_when(const char *word, enum frec_when *ret);

/* Whether standard output is to be coloured. `auto`: on a terminal that knows colours, unless
 * NO_COLOR is set. */
bool frec__terminal_colored(enum frec_when when);

struct frec_pager {
	int fd; /* to write to instead of standard output */
	pid_t pid;
};

/*
 * Starts $PAGER, or less, if standard output is a terminal. Otherwise, or if there is no pager,
 * `fd` is standard output. From then on SIGPIPE and SIGINT do not end the caller: after the pager
 * has ended, writing fails with EPIPE.
 */
void frec__pager_start(struct frec_pager *pager);

/* Closes the pager's input and waits until it ends. Does nothing if none was started. */
void frec__pager_end(struct frec_pager *pager);

#endif
