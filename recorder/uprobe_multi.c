// SPDX-License-Identifier: MIT
// A link of BPF_TRACE_UPROBE_MULTI, by the system call itself.
#include "recorder/uprobe_multi.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of <linux/bpf.h> of Linux 6.6, for systems with older headers. */
struct link_create_uprobe_multi {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t path, offsets, ref_ctr_offsets, cookies;
	uint32_t cnt, multi_flags, pid;
} __attribute__((aligned(8)));

int frec__uprobe_multi_attach(int program, const char *path, const uint64_t *offsets, const uint64_t *semaphores,
			      const uint64_t *cookies, size_t count)
{
	struct link_create_uprobe_multi request = {
		.prog_fd = (uint32_t)program,
		.attach_type = FREC_TRACE_UPROBE_MULTI,
		.path = (uintptr_t)path,
		.offsets = (uintptr_t)offsets,
		.ref_ctr_offsets = (uintptr_t)semaphores,
		.cookies = (uintptr_t)cookies,
		.cnt = (uint32_t)count,
	};
	int fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &request, sizeof(request));

	return fd < 0 ? -errno : fd;
}
