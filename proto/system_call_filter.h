/* SPDX-License-Identifier: MIT */
/*
 * Pieces of seccomp filters. A filter begins with FREC_FILTER_BEGIN, which loads the number of the
 * system call and kills a process that makes calls of another architecture; then come
 * FREC_FILTER_ALLOW(openat) and others, and last what happens to all other calls.
 */
#ifndef FREC_PROTO_SYSTEM_CALL_FILTER_H
#define FREC_PROTO_SYSTEM_CALL_FILTER_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

/* Whether a sanitizer is built in. It makes system calls of its own, and reserves terabytes of
 * address space. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FREC_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define FREC_SANITIZED true
#endif
#endif
#ifndef FREC_SANITIZED
#define FREC_SANITIZED false
#endif

#if defined(__x86_64__)
#define FREC_FILTER_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FREC_FILTER_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#define FREC_FILTER_BEGIN \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)), \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FREC_FILTER_ARCHITECTURE, 1, 0), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS), \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))

#define FREC_FILTER_ALLOW(name) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

#endif
