/* SPDX-License-Identifier: MIT */
/* Describes the kind of address at which a crash happened. */
#ifndef FREC_EXPORT_REPORT_CRASH_ADDRESS_H
#define FREC_EXPORT_REPORT_CRASH_ADDRESS_H

#include "export/read/snapshot.h"
#include "export/read/text.h"

/* Adds words for the kind of the faulting address, such as "a null pointer". Adds nothing if the
 * address or its kind is not known. */
void frec__crash_address_words(struct frec_text *text, const struct frec_snapshot *snapshot);

#endif
