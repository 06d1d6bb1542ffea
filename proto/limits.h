/* SPDX-License-Identifier: MIT */
/* Resource limits (getrlimit(2)): raising them, and naming the one that is in the way. */
#ifndef FREC_PROTO_LIMITS_H
#define FREC_PROTO_LIMITS_H

#include <stdint.h>

#include "proto/error.h"

/* The soft limit of `resource` (RLIMIT_...), or UINT64_MAX if there is none. */
uint64_t frec__limit_of(int resource);

/* Raises every limit that can be in a recorder's way as far as this process may: the soft ones to
 * the hard ones, and with CAP_SYS_RESOURCE the hard ones too. RLIMIT_STACK is raised to 8 MiB at
 * most. */
void frec__limits_raise(void);

/*
 * Fills `reterr` (may be NULL) with a sentence, what failed (`format`) and why, and returns `code`,
 * a negative errno. If a resource limit of this process can be the cause of `code`, the sentence
 * names that limit, its value, and the value that is needed: `needed`, plus, for memory, what this
 * process uses already. If `needed` is 0, it is not known and not named.
 */
__attribute__((format(printf, 4, 5))) int frec__limit_error(struct frec_error *reterr, int code,
							    uint64_t needed, const char *format,
							    ...);

#endif
