/* SPDX-License-Identifier: MIT */
/* What a program that runs for long reports to people: lines on stderr and in the journal. */
#ifndef FREC_PROTO_REPORT_H
#define FREC_PROTO_REPORT_H

/*
 * Reports one line, without a newline, on stderr, and to the journal if it runs and stderr does not
 * lead there. `priority` is one of syslog(3): LOG_ERR, LOG_WARNING, LOG_INFO. Control characters
 * become '?', and a line of more than 1023 bytes is cut. Allocates nothing; any thread may call it,
 * but no signal handler.
 */
__attribute__((format(printf, 2, 3))) void frec__report(int priority, const char *format, ...);

#endif
