/* SPDX-License-Identifier: MIT */
/* Reading a small file whole, as those of /proc and tracefs, whose size nobody knows before. */
#ifndef FREC_PROTO_READ_FILE_H
#define FREC_PROTO_READ_FILE_H

#include <stddef.h>

/*
 * Reads a file of the folder whole, as text that ends in NUL. Reading stops once `limit` bytes are
 * read; the text can be up to one block longer. The caller frees it. NULL with errno set on failure.
 */
char *frec__read_file_at(int folder, const char *path, size_t limit);

#endif
