/* SPDX-License-Identifier: MIT */
/*
 * Who lives and how they end, for an engine that may not watch the kernel: by /proc and pidfds,
 * where the sideband would tell. It is slower by a look, and what was born and gone between two of
 * them is not seen.
 */
#ifndef FREC_RECORDER_ENGINE_ENDS_H
#define FREC_RECORDER_ENGINE_ENDS_H

#include "recorder/engine.h"

/* Processes whose end is waited for at once. */
#define FREC_ENDS_MAX 1024

/* Waits for the end of a process from now on; one that `tells` says so when it ends by itself.
 * Nothing to do where the kernel is watched. */
void frec__engine_await(struct frec_engine *engine, uint32_t pid, int64_t only_uid, bool tells);

/* A process said that it ends by itself, which counts where nobody can be asked how it did. */
void frec__engine_excuse(struct frec_engine *engine, uint32_t pid);

/* Looks who was born, and notes the deaths of those that have ended. Nothing to do where the kernel
 * is watched. */
void frec__engine_look_ends(struct frec_engine *engine);

/* Adds what to poll, as frec__engine_poll() does. */
size_t frec__engine_poll_ends(const struct frec_engine *engine, struct pollfd *fds, size_t room);

void frec__engine_stop_ends(struct frec_engine *engine);

#endif
