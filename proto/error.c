// SPDX-License-Identifier: MIT
// Failures with their text.
#include "proto/error.h"

#include <stdarg.h>
#include <stdio.h>

int frec__error(struct frec_error *reterr, int code, const char *format, ...)
{
	va_list arguments;

	if (!reterr)
		return code;
	reterr->code = code;
	va_start(arguments, format);
	vsnprintf(reterr->message, sizeof(reterr->message), format, arguments);
	va_end(arguments);
	return code;
}
