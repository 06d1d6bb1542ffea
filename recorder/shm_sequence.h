/* SPDX-License-Identifier: MIT */
/* The restartable sequences of this architecture. */
#if defined(__x86_64__)
#include "recorder/shm_sequence_x86_64.h"
#else
#include "recorder/shm_sequence_aarch64.h"
#endif
