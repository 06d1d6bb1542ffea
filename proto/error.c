// SPDX-License-Identifier: MIT
// Failures with their text.
#include "proto/error.h"

#include <errno.h>
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

bool frec__is_shortage(int error)
{
	switch (error) {
	case ENOMEM:
	case EMFILE:
	case ENFILE:
	case EPIPE: // of the process that opens files (unwind/opener.h)
		return true;
	default:
		return false;
	}
}
