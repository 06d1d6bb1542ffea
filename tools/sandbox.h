/* SPDX-License-Identifier: MIT */
/*
 * The sandbox in which commands read files of strangers.
 *
 * Whoever wrote a snapshot may have found a way to take over its reader. So, before it looks at the
 * first byte, a command gives up, for good, what it does not need: with Landlock all files but
 * those named here, with a seccomp filter all system calls but those of reading, computing and
 * writing. What it has open stays open: inputs, outputs, the pager. If the kernel has only one of
 * the two, the command goes without the other.
 *
 * Names of functions come from program files, whose paths are in the snapshot. A second process,
 * the opener, opens them: it was started before the first byte was read, it reads nothing but paths
 * and build-ids, and it hands over only ELF files. It also asks debuginfod servers, because the
 * command has no network.
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
	int rules; /* of Landlock; -1: there is no Landlock */
	bool network;
	bool is_opener; /* an opener was started */
};

/* Begins with nothing but the system's libraries, and the folders of `symbols`, to read; NULL:
 * none. `network`: leave the network as it is, and let its settings be read. */
void frec__tool_sandbox_init(struct frec_tool_sandbox *sandbox,
			     const struct frec_unwinder_options *symbols, bool network);

/* Starts the opener, which ends with this process. From then on unwind/ opens files through it. If
 * it cannot be started, there are no names. */
void frec__tool_sandbox_start_opener(struct frec_tool_sandbox *sandbox, bool debuginfod);

/* Lets files be made, written, renamed and removed in this folder. The first function takes an open
 * folder, the second the folder that contains `path`. */
void frec__tool_sandbox_write_in(struct frec_tool_sandbox *sandbox, int folder);
void frec__tool_sandbox_write_beside(struct frec_tool_sandbox *sandbox, const char *path);

/* The same for the folder of temporary files: $TMPDIR, or /tmp. */
void frec__tool_sandbox_write_to_temporary(struct frec_tool_sandbox *sandbox);

/* Enters the sandbox. Returns 0, or a negative errno if the kernel has sandboxes and refuses
 * this one. */
int frec__tool_sandbox_enter(struct frec_tool_sandbox *sandbox, struct frec_error *reterr);

#endif
