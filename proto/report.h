/* SPDX-License-Identifier: MIT */
/* Messages of a long-running program to people: lines on stderr and in the journal. */
#ifndef FREC_PROTO_REPORT_H
#define FREC_PROTO_REPORT_H

/*
 * Reports one line, given without a newline, on stderr, and also in the journal if stderr does not
 * lead there. `priority` is that of syslog(3): LOG_ERR, LOG_WARNING, LOG_INFO. Control characters
 * become '?', and a line of more than 1023 bytes is cut. Does not allocate. Any thread may call it,
 * but no signal handler.
 */
__attribute__((format(printf, 2, 3))) void frec__report(int priority, const char *format, ...);

/* Reports a line only in the journal. Use this for what is good to know, but not worth a line in
 * the output of a service. */
__attribute__((format(printf, 2, 3))) void frec__report_quietly(int priority, const char *format,
								...);

#endif
