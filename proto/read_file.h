/* SPDX-License-Identifier: MIT */
/* Reads small files whose size is not known in advance, such as those of /proc and tracefs. */
#ifndef FREC_PROTO_READ_FILE_H
#define FREC_PROTO_READ_FILE_H

#include <stddef.h>

/*
 * Reads the whole file at `path`, relative to `folder`, as a string. Stops once it has `limit`
 * bytes; because it reads in blocks, the string can be up to 2 * `limit` bytes long, or 4096 if
 * that is more. The caller frees the string. Returns NULL with errno set on failure.
 */
char *frec__read_file_at(int folder, const char *path, size_t limit);

#endif
