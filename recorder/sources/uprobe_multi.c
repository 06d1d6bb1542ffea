// SPDX-License-Identifier: MIT
// Creates a BPF link of the attach type BPF_TRACE_UPROBE_MULTI by calling bpf(2) directly.
#include "recorder/sources/uprobe_multi.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// From <linux/bpf.h> of Linux 6.6, for systems with older headers.
struct link_create_uprobe_multi {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t path, offsets, ref_ctr_offsets, cookies;
	uint32_t cnt, multi_flags, pid;
} __attribute__((aligned(8)));

int frec__uprobe_multi_attach(int program, const char *path, const uint64_t *offsets,
			      const uint64_t *semaphores, const uint64_t *cookies, size_t count)
{
	struct link_create_uprobe_multi request;
	int fd;

	// The kernel requires that the padding after the last member is zero too, which an
	// initializer does not guarantee.
	memset(&request, 0, sizeof(request));
	request.prog_fd = (uint32_t)program;
	request.attach_type = FREC_TRACE_UPROBE_MULTI;
	request.path = (uintptr_t)path;
	request.offsets = (uintptr_t)offsets;
	request.ref_ctr_offsets = (uintptr_t)semaphores;
	request.cookies = (uintptr_t)cookies;
	request.cnt = (uint32_t)count;
	fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &request, sizeof(request));
	return fd < 0 ? -errno : fd;
}
