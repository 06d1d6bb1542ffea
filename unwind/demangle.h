/* SPDX-License-Identifier: MIT */
/* Demangling of C++ and Rust names. */
#ifndef FREC_UNWIND_DEMANGLE_H
#define FREC_UNWIND_DEMANGLE_H

/*
 * Returns `name` demangled and without the symbol version after '@', for the caller to free. A name
 * that is not mangled, or is too long before or after demangling, loses only its version. NULL: out
 * of memory.
 */
char *frec__demangle(const char *name);

#endif
