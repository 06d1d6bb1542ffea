/* SPDX-License-Identifier: MIT */
/* The restartable sequences of this architecture. */
#if defined(__x86_64__)
#include "recorder/service/shm_sequence_x86_64.h"
#else
#include "recorder/service/shm_sequence_aarch64.h"
#endif
