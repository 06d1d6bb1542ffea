/* SPDX-License-Identifier: MIT */
/* The registers of a thread in a core dump. Each machine has a registers_*.c of its own. */
#ifndef FREC_RECORDER_CORE_REGISTERS_H
#define FREC_RECORDER_CORE_REGISTERS_H

#include <stddef.h>
#include <stdint.h>

/* Enough for every machine: in perf, each user register is a bit of a 64-bit mask. */
#define FREC_CORE_REGISTERS_MAX 64

/*
 * Converts the `size` bytes of `set`, in the layout of this machine's core dumps (elf_gregset_t),
 * to one value for each bit of frec__perf_user_registers, lowest bit first. Returns 0, or -EBADMSG
 * if there are too few bytes.
 */
int frec__core_registers(const void *set, size_t size, uint64_t ret[FREC_CORE_REGISTERS_MAX]);

#endif
