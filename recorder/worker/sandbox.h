/* SPDX-License-Identifier: MIT */
/*
 * Parsing the bytes of strangers in a process that may be lost.
 *
 * A recorder may run as root and has to read what other users write: ELF files, and the stacks and
 * tables that unwinding needs. Such bytes can crash a parser, or make it loop or run out of memory.
 * So a child process parses them. worker.h starts the child and exchanges messages with it, and
 * this header takes the child's rights away. The parent checks every answer as if the stranger had
 * written it, because the stranger may have taken control of the child.
 *
 *	recorder: opens a file --(descriptor)--> child: parses it
 *	recorder: checks it    <---(message)---- child: what the file says
 *
 * A child that unwinds learns only from what it parses which files it needs. So it has a child of
 * its own that opens them, and parses nothing: unwind/opener.h.
 *
 * Invariants: the child is forked from the recorder, so both have the same program. Before it reads
 * the first byte of a stranger, it has no descriptor but its sockets, the standard streams and what
 * it is to work on, limits on memory and processor time, no capability, no way to gain one, and a
 * limit on system calls. A child that is lost costs only the answer to what it was asked.
 */
#ifndef FREC_RECORDER_WORKER_SANDBOX_H
#define FREC_RECORDER_WORKER_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct frec_sandbox {
	uint64_t memory;      /* bytes of address space at most */
	unsigned int seconds; /* of processor time for the whole life of the child; 0: no limit */
	uint64_t written; /* the largest size of a file that the child writes; 0: it writes none */
	bool has_opener;  /* a process opens program files for the child */
	/* descriptors that this process inherits, ascending; NULL: none */
	const int *held;
	size_t held_count;
};

/* The sandbox of a child that unwinds, for at most `seconds` of processor time. */
struct frec_sandbox frec__sandbox_to_unwind(unsigned int seconds);

/*
 * Sets the limits alone. Must be called in the child, once, and is for a child that needs rights
 * and parses nothing of strangers but the text of /proc and messages. From then on the child dumps
 * no core, cannot be traced by other processes of its user, and dies with its parent. Returns 0 or
 * -ESRCH if the parent has ended: the caller must then end the child.
 */
int frec__sandbox_limit(const struct frec_sandbox *sandbox);

/*
 * Sets the limits and takes the rights away. Must be called in the child, once. From then on the
 * child belongs to user nobody (if the recorder may change users), has no capability, and is killed
 * by a system call that parsing does not need: it cannot open, create, connect, signal or execute
 * anything. Returns 0, also if the kernel has no seccomp filters, or a negative errno: the caller
 * must then end the child.
 */
int frec__sandbox_enter(const struct frec_sandbox *sandbox);

/* Waits at most `milliseconds` for the child to end, and reaps it. Returns whether it ended.
 * `ret_status` is as in waitpid(2), and may be NULL. */
bool frec__child_ends_within(pid_t child, int milliseconds, int *ret_status);

/* Kills the child and reaps it. A child that hangs in a broken file system cannot be killed: this
 * function returns after a second even if the child still exists. */
void frec__child_kill(pid_t child);

#endif
