/* SPDX-License-Identifier: MIT */
/*
 * A process that opens program files for its parent, which then gives up the right to open files.
 *
 * Whoever unwinds or names stacks parses programs, and those are of a stranger's choice, as are
 * their paths. So the process that parses is in a sandbox (tools/sandbox.h,
 * recorder/worker/sandbox.h). The opener was forked from it before that. It keeps the right to open
 * files, and parses nothing: it reads paths and build-ids from a socket, and hands over the
 * descriptors of regular ELF files that are no core files.
 */
#ifndef FREC_UNWIND_OPENER_H
#define FREC_UNWIND_OPENER_H

#include <stdbool.h>
#include <stddef.h>

/* Starts the process, and makes this process open files through it from then on (files.h).
 * `debuginfod`: it may ask the servers in DEBUGINFOD_URLS. It ends with its parent, and keeps no
 * descriptor of it but standard error and the `count` ones in `held`, which ascend, and to which
 * /proc/self/fd leads. Returns false if it cannot be started. Without it, as when
 * it is lost later, opening a file fails with EPIPE. */
bool frec__opener_start(bool debuginfod, const int *held, size_t count);

#endif
