// SPDX-License-Identifier: MIT
// Reading small files whole.
#include "proto/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/cleanup.h"

char *frec__read_file_at(int folder, const char *path, size_t limit)
{
	FREC_CLOSE int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	FREC_FREE char *text = NULL;
	size_t size = 0, room = 4096;

	if (fd < 0)
		return NULL;
	for (;;) {
		char *grown = realloc(text, room + 1);
		ssize_t n;

		if (!grown)
			return NULL;
		text = grown;
		n = read(fd, text + size, room - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return NULL;
		size += (size_t)n;
		if (!n || size >= limit)
			break;
		if (size == room)
			room *= 2;
	}
	text[size] = 0;
	return FREC_TAKE_PTR(text);
}
