/* SPDX-License-Identifier: MIT */
/* How the kernel and a snapshot describe a declared event. */
#ifndef FREC_RECORDER_DECLARED_DECLARED_KINDS_H
#define FREC_RECORDER_DECLARED_DECLARED_KINDS_H

#include "recorder/declared/declarations.h"

/* Looks for a declaration of provider:name whose fields have the names and types of those in
 * `format`. If there is one, copies the kinds and enumerators of its fields to `format`. Returns
 * whether there is one. */
bool frec__declarations_refine(const struct frec_declarations *declarations, const char *provider,
			       const char *name, struct frec_format *format);

/* Makes the format of an event that no format file describes. The layout is the same as if the
 * event were registered with the kernel. Returns 0 or -ENOMEM. */
int frec__declared_format(const struct frec_declared *event, struct frec_format *ret);

/* Returns the text that registers the event with the kernel, "shop__paid u64 order_id; ...", which
 * the caller frees, or NULL if out of memory. */
char *frec__declared_registration(const struct frec_declared *event);

#endif
