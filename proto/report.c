// SPDX-License-Identifier: MIT
// Lines on stderr and in the journal.
#include "proto/report.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/cleanup.h"

// The journal's native protocol: one datagram of KEY=value lines (systemd.journal-fields(7)).
static void send_to_journal(int priority, const char *message)
{
	FREC_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX,
				      .sun_path = "/run/systemd/journal/socket"};
	char datagram[2048];
	int n = snprintf(datagram, sizeof(datagram),
			 "PRIORITY=%d\nSYSLOG_IDENTIFIER=flightrec\nMESSAGE=%s\n", priority,
			 message);

	if (fd >= 0 && n > 0 && n < (int)sizeof(datagram))
		(void)sendto(fd, datagram, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL,
			     (struct sockaddr *)&address, sizeof(address));
}

static void format_line(char *message, size_t size, const char *format, va_list arguments)
{
	vsnprintf(message, size, format, arguments);
	for (char *p = message; *p; p++) {
		if (iscntrl((unsigned char)*p))
			*p = '?';
	}
}

void frec__report_quietly(int priority, const char *format, ...)
{
	char message[1024];
	va_list arguments;

	va_start(arguments, format);
	format_line(message, sizeof(message), format, arguments);
	va_end(arguments);
	send_to_journal(priority, message);
}

void frec__report(int priority, const char *format, ...)
{
	char message[1024];
	va_list arguments;

	va_start(arguments, format);
	format_line(message, sizeof(message), format, arguments);
	va_end(arguments);
	// If stderr leads to the journal, the journal reads the priority from the line itself
	// (sd-daemon(3)).
	if (getenv("JOURNAL_STREAM")) {
		dprintf(STDERR_FILENO, "<%d>flightrec: %s\n", priority, message);
	} else {
		dprintf(STDERR_FILENO, "flightrec: %s\n", message);
		send_to_journal(priority, message);
	}
}
