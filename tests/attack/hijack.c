// SPDX-License-Identifier: MIT
// Replaces ZSTD_decompress(), with which commands uncompress records, and does there what an
// attacker would try who has taken over a command by means of a snapshot. Prints for each attempt
// whether it succeeded.
//	LD_PRELOAD=hijack.so HIJACK_SECRET=FILE HIJACK_FOLDER=FOLDER flightrec ...
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

static void tell(const char *what, int succeeded)
{
	dprintf(STDERR_FILENO, "hijacked: %s: %s\n", what, succeeded ? "done" : "refused");
}

__attribute__((visibility("default"))) size_t ZSTD_decompress(void *to, size_t room,
							      const void *from, size_t size);

size_t ZSTD_decompress(void *to, size_t room, const void *from, size_t size)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char path[4096];
	pid_t child;

	(void)to, (void)room, (void)from, (void)size;
	tell("read a secret", open(getenv("HIJACK_SECRET"), O_RDONLY) >= 0);
	tell("write a secret", open(getenv("HIJACK_SECRET"), O_WRONLY) >= 0);
	snprintf(path, sizeof(path), "%s/made", getenv("HIJACK_FOLDER"));
	tell("make a file", open(path, O_WRONLY | O_CREAT, 0600) >= 0);
	tell("reach the network", socket(AF_INET, SOCK_STREAM, 0) >= 0);
	tell("reach a service", socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	tell("signal others", !kill(getppid(), 0));
	tell("trace others", !ptrace(PTRACE_SEIZE, getppid(), NULL, NULL));
	tell("bring code", !mprotect(page, 4096, PROT_READ | PROT_EXEC));
	child = fork();
	if (!child)
		_exit(0);
	tell("start a process", child > 0);
	_exit(0);
}
