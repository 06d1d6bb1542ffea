/* SPDX-License-Identifier: MIT */
/* For children that keep no descriptors but some. */
#ifndef FREC_PROTO_CLOSE_OTHERS_H
#define FREC_PROTO_CLOSE_OTHERS_H

#include <stddef.h>

/* Closes all descriptors from number `first` on but the `count` ones in `kept`, which ascend. */
void frec__close_others(int first, const int *kept, size_t count);

#endif
