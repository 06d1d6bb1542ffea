/* SPDX-License-Identifier: MIT */
/* Functions, files and lines of one module. */
#ifndef FREC_UNWIND_NAMES_H
#define FREC_UNWIND_NAMES_H

struct frec_names_index;

void frec__names_destroy(struct frec_names_index *names);

#endif
