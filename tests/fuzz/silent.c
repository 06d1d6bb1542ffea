// SPDX-License-Identifier: MIT
// Takes the place of proto/report.c in the fuzz targets, so that they write nothing to the terminal
// and the journal. The lines are made all the same.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/report.h"

static void make_line(const char *format, va_list arguments)
{
	char message[1024];

	if (vsnprintf(message, sizeof(message), format, arguments) < 0)
		abort();
}

void frec__report(int priority, const char *format, ...)
{
	va_list arguments;

	(void)priority;
	va_start(arguments, format);
	make_line(format, arguments);
	va_end(arguments);
}

void frec__report_quietly(int priority, const char *format, ...)
{
	va_list arguments;

	(void)priority;
	va_start(arguments, format);
	make_line(format, arguments);
	va_end(arguments);
}
