/* SPDX-License-Identifier: MIT */
/*
 * Whether an address can be that of a string or of bytes at all. User space cannot find out without
 * a system call whether memory may be read, but most mistakes show in the address itself: a small
 * number (a member of a struct at NULL), an error code, a pattern that fills freed memory, halves
 * of two pointers. Reading there would crash the service, so the event is dropped with -EFAULT
 * instead.
 */
#ifndef FREC_RECORDER_SERVICE_READABLE_H
#define FREC_RECORDER_SERVICE_READABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A process has no memory below this, unless it asks for just that. */
#define FREC__ADDRESS_MIN 4096

/* How many addresses from FREC__ADDRESS_MIN on this process's memory can have. */
extern uint64_t frec__addresses __attribute__((visibility("hidden")));

/* Finds out whether this machine has larger addresses than most. Until then those count as
 * unreadable. For a constructor: it may make two system calls. */
void frec__addresses_init(void);

/* The distance of an address from FREC__ADDRESS_MIN. */
static inline uint64_t frec__address(const void *address)
{
#ifdef __aarch64__
	/* The processor ignores the upper byte, where some allocators keep a tag. */
	return ((uintptr_t)address & UINT64_MAX >> 8) - FREC__ADDRESS_MIN;
#else
	return (uintptr_t)address - FREC__ADDRESS_MIN;
#endif
}

/* False for an address that no memory of this process can have, and for NULL. */
static inline bool frec__readable(const void *address)
{
	return frec__address(address) < frec__addresses;
}

/* The same for `size` bytes. Any address will do for none. */
static inline bool frec__readable_bytes(const void *address, size_t size)
{
	return !size || (frec__readable(address) && size <= frec__addresses - frec__address(address));
}

#endif
