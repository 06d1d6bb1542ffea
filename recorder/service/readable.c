// SPDX-License-Identifier: MIT
// The addresses that this process's memory can have: see readable.h.
#include "recorder/service/readable.h"

#include <errno.h>
#include <sys/mman.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

// The bits of an address in user space: on most machines, and on those whose page tables have one
// more level, where memory beyond the first limit is only for programs that ask for it. The kernel
// leaves the last page free.
#ifdef __x86_64__
#define BITS 47
#define BITS_MORE 56
#else
#define BITS 48
#define BITS_MORE 52
#endif
#define ADDRESSES(bits) ((UINT64_C(1) << (bits)) - 2 * FREC__ADDRESS_MIN)

uint64_t frec__addresses = ADDRESSES(BITS);

static bool may_have_more(void)
{
#ifdef __x86_64__
	unsigned int a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && c & 1u << 16; // LA57
#else
	return true;
#endif
}

// The kernel may have been told not to use the processor's ability, so this tries it.
void frec__addresses_init(void)
{
	const size_t size = FREC__ADDRESS_MIN;
	int saved_errno = errno;
	void *page;

	if (!may_have_more())
		return;
	page = mmap((void *)(uintptr_t)(UINT64_C(1) << BITS << 1), size, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (page != MAP_FAILED) {
		if ((uintptr_t)page >> BITS)
			frec__addresses = ADDRESSES(BITS_MORE);
		munmap(page, size);
	}
	errno = saved_errno;
}
