/* SPDX-License-Identifier: MIT */
/*
 * A witness outside the recorder: a file, mapped shared, in which each worker stores the number of
 * the step event that it is about to emit (begun) and of the last one that it has emitted (done).
 * The kernel keeps the file's pages however the process dies, so afterwards done <= the last step
 * in the snapshot <= begun must hold for each thread.
 */
#ifndef SHOPD_LEDGER_H
#define SHOPD_LEDGER_H

#include <stdatomic.h>
#include <stdint.h>

struct ledger_line { /* for one thread; fills a cache line, so that threads do not share one */
	_Alignas(64) _Atomic uint64_t begun;
	_Atomic uint64_t done;
};

/* Creates or empties the file and maps a line per thread, which stays mapped. Returns 0 or a
 * negative errno. */
int ledger_open(const char *path, unsigned int threads, struct ledger_line **ret);

#endif
