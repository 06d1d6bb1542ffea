/* SPDX-License-Identifier: MIT */
/*
 * The sandbox in which commands read files of strangers.
 *
 * Whoever wrote a snapshot may have found a way to take over the command that reads it. So, before
 * a command looks at the first byte, it gives up for good what it does not need: Landlock forbids
 * it to open any files but those that the functions below allow, and a seccomp filter forbids all
 * system calls but those of reading, computing and writing. Files that are open stay open: inputs,
 * outputs, the pipe to the pager. If the kernel lacks Landlock or seccomp, the command uses only
 * the other.
 *
 * Names of functions come from program files, whose paths are in the snapshot. A second process,
 * the opener, opens these files: it is started before the first byte is read, the command sends it
 * nothing but paths and build-ids, and it hands over only ELF files. It also asks debuginfod
 * servers, because the filter leaves the command no network.
 *
 *	frec__tool_sandbox_init(&sandbox, &symbols, false);
 *	frec__tool_sandbox_start_opener(&sandbox, true);	before there is a pager
 *	frec__tool_sandbox_write_in(&sandbox, folder);	for each output
 *	frec__tool_sandbox_enter(&sandbox, &error);
 */
#ifndef FREC_TOOLS_SANDBOX_H
#define FREC_TOOLS_SANDBOX_H

#include <stdbool.h>

#include "proto/error.h"
#include "unwind/unwind.h"

struct frec_tool_sandbox {
	int rules;	/* descriptor of the Landlock rules; -1: none */
	bool network;	/* see frec__tool_sandbox_init() */
	bool is_opener; /* an opener was started */
};

/* Begins with rules that allow reading nothing but the system's folders of programs and libraries
 * and the folders of `symbols`; if `symbols` is NULL, no file at all. If `network` is true, the
 * rules also allow using the network and reading its settings in /etc and /run, and there is no
 * filter of system calls. */
void frec__tool_sandbox_init(struct frec_tool_sandbox *sandbox,
			     const struct frec_unwinder_options *symbols, bool network);

/* Starts the opener, which ends with this process; from then on unwind/ opens files through it. If
 * it cannot be started, functions have no names. The opener asks debuginfod servers only if
 * `debuginfod` is true. If the sandbox is off, does nothing, and unwind/ opens files itself. */
void frec__tool_sandbox_start_opener(struct frec_tool_sandbox *sandbox, bool debuginfod);

/* Allow making, reading, writing, renaming and removing files in a folder and in those below it.
 * The first function does so for the open folder `folder`, the second for the folder that contains
 * `path`. */
void frec__tool_sandbox_write_in(struct frec_tool_sandbox *sandbox, int folder);
void frec__tool_sandbox_write_beside(struct frec_tool_sandbox *sandbox, const char *path);

/* Allows the same in the folder `path`. */
void frec__tool_sandbox_write_to(struct frec_tool_sandbox *sandbox, const char *path);

/* Enters the sandbox. Returns 0, also if the sandbox is off or the kernel has neither Landlock nor
 * seccomp; or a negative errno if the kernel refuses the rules or the filter. */
int frec__tool_sandbox_enter(struct frec_tool_sandbox *sandbox, struct frec_error *reterr);

#endif
