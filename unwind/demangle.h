/* SPDX-License-Identifier: MIT */
/* Names as people write them, of names as linkers see them: C++ and Rust. */
#ifndef FREC_UNWIND_DEMANGLE_H
#define FREC_UNWIND_DEMANGLE_H

/*
 * `name` demangled, or a copy of it where it is not mangled, or so that it takes too long. The
 * caller frees it. NULL: out of memory. A version behind '@' is left out.
 */
char *frec__demangle(const char *name);

#endif
