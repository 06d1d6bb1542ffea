// SPDX-License-Identifier: MIT
// Demangling with libiberty. A mangled name can refer back to parts of itself, so its demangled
// form can be exponentially longer. Therefore it is printed piece by piece, and given up when it
// gets too long.
#include "unwind/demangle.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

#include "proto/cleanup.h"

// A longer name is not demangled, because libiberty recurses as deeply as the name is long.
#define MANGLED_MAX 4096
#define DEMANGLED_MAX 65536

struct output {
	jmp_buf too_long;
	size_t size;
	char text[DEMANGLED_MAX];
};

// The longjmp leaks nothing, because the printing functions of libiberty allocate only on the
// stack.
static void print(const char *piece, size_t size, void *opaque)
{
	struct output *output = opaque;

	if (size >= sizeof(output->text) - output->size)
		longjmp(output->too_long, 1);
	memcpy(output->text + output->size, piece, size);
	output->size += size;
	output->text[output->size] = '\0';
}

static bool demangle(const char *name, struct output *output)
{
	const int options = DMGL_PARAMS | DMGL_ANSI | DMGL_NO_RECURSE_LIMIT;

	output->size = 0;
	if (setjmp(output->too_long))
		return false;
	// Rust comes first, because its older names are C++ names that end in a hash.
	if (rust_demangle_callback(name, DMGL_NO_RECURSE_LIMIT, print, output) && output->size)
		return true;
	output->size = 0;
	return cplus_demangle_v3_callback(name, options, print, output) && output->size;
}

char *frec__demangle(const char *name)
{
	size_t length = strnlen(name, DEMANGLED_MAX);
	const char *version = memchr(name, '@', length);
	FREC_FREE char *copy = strndup(name, version ? (size_t)(version - name) : length);
	FREC_FREE struct output *output = NULL;
	char *demangled;

	if (!copy || (strncmp(copy, "_Z", 2) && strncmp(copy, "_R", 2)) || length > MANGLED_MAX)
		return FREC_TAKE_PTR(copy);
	output = malloc(sizeof(*output));
	demangled = output && demangle(copy, output) ? strndup(output->text, output->size) : NULL;
	return demangled ? demangled : FREC_TAKE_PTR(copy);
}
