/* SPDX-License-Identifier: MIT */
/* Creates and maps the ledger's file. */
#include "ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int ledger_open(const char *path, unsigned int threads, struct ledger_line **ret)
{
	size_t size = threads * sizeof(struct ledger_line);
	int r = 0, fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	void *lines = MAP_FAILED;

	if (fd < 0)
		return -errno;
	if (!ftruncate(fd, size))
		lines = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (lines == MAP_FAILED)
		r = -errno;
	else
		*ret = lines;
	close(fd);
	return r;
}
