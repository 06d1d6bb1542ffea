/* SPDX-License-Identifier: MIT */
/* How the kernel and a snapshot describe a declared event. */
#ifndef FREC_RECORDER_DECLARED_DECLARED_KINDS_H
#define FREC_RECORDER_DECLARED_DECLARED_KINDS_H

#include "recorder/declared/declarations.h"

/* Refines `format` with the declaration of provider:name whose fields match it. Returns whether
 * there was one. */
bool frec__declarations_refine(const struct frec_declarations *declarations, const char *provider,
			       const char *name, struct frec_format *format);

/* The layout of the event's records if no format file describes it: the same that registering it
 * would produce. Returns 0 or -ENOMEM. */
int frec__declared_format(const struct frec_declared *event, struct frec_format *ret);

/* The text that registers the event with the kernel: "shop__paid u64 order_id; ...". The caller
 * frees it. NULL if out of memory. */
char *frec__declared_registration(const struct frec_declared *event);

#endif
