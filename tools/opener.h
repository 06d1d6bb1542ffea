/* SPDX-License-Identifier: MIT */
/* A process that opens program files for a command in a sandbox: see sandbox.h. */
#ifndef FREC_TOOLS_OPENER_H
#define FREC_TOOLS_OPENER_H

#include <stdbool.h>

/* Starts the process, which ends with its parent, and makes unwind/ open files through it. The
 * process asks debuginfod servers only if `debuginfod` is true. Returns false if it cannot be
 * started: then unwind/ finds no files. */
bool frec__opener_start(bool debuginfod);

#endif
