/* SPDX-License-Identifier: MIT */
/* Demangling of C++ and Rust names. */
#ifndef FREC_UNWIND_DEMANGLE_H
#define FREC_UNWIND_DEMANGLE_H

/*
 * Returns `name` demangled and without the symbol version after '@'. The result is a copy of `name`
 * if it is not mangled, or would take too long. The caller frees it. NULL: out of memory.
 */
char *frec__demangle(const char *name);

#endif
