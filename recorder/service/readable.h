/* SPDX-License-Identifier: MIT */
/*
 * Checks whether an address can be that of a string or of bytes at all. User space cannot find out
 * without a system call whether memory may be read, but most mistakes show in the address itself: a
 * small number (a port, or a member of a struct at NULL), an error code, a pattern that fills freed
 * memory, text or two numbers in place of a pointer. Reading there would crash the service, so the
 * event is dropped with -EFAULT instead.
 */
#ifndef FREC_RECORDER_SERVICE_READABLE_H
#define FREC_RECORDER_SERVICE_READABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The usual vm.mmap_min_addr. A process has memory below this only if it asks for such an
 * address. */
#define FREC__ADDRESS_MIN 65536

/*
 * The number of addresses at which a process can have memory, from FREC__ADDRESS_MIN on. Some
 * machines have more, but there, too, the kernel places memory beyond this limit only for a program
 * that asks for it. The kernel leaves the last page free.
 */
#ifdef __x86_64__
#define FREC__ADDRESSES ((UINT64_C(1) << 47) - 4096 - FREC__ADDRESS_MIN)
#else
#define FREC__ADDRESSES ((UINT64_C(1) << 48) - 4096 - FREC__ADDRESS_MIN)
#endif

/* The distance of an address from FREC__ADDRESS_MIN. */
static inline uint64_t frec__distance(const void *address)
{
#ifdef __aarch64__
	/* The processor ignores the upper byte of an address, where some allocators keep a tag. */
	return ((uintptr_t)address & UINT64_MAX >> 8) - FREC__ADDRESS_MIN;
#else
	return (uintptr_t)address - FREC__ADDRESS_MIN;
#endif
}

/* Returns false for NULL and for any other address at which a process has no memory. */
static inline bool frec__readable(const void *address)
{
	return frec__distance(address) < FREC__ADDRESSES;
}

/* The same for `size` bytes, at most FREC_PAYLOAD_MAX. If `size` is 0, any address will do. */
static inline bool frec__readable_bytes(const void *address, size_t size)
{
	return !size || (frec__distance(address) < FREC__ADDRESSES &&
			 size <= FREC__ADDRESSES - frec__distance(address));
}

#endif
