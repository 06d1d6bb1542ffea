/* SPDX-License-Identifier: MIT */
/*
 * The part of the kernel's interface that registers user events, for systems whose headers have no
 * <linux/user_events.h>. Described in the kernel's Documentation/trace/user_events.rst.
 */
#ifndef FREC_RECORDER_USER_EVENTS_H
#define FREC_RECORDER_USER_EVENTS_H

#include <stdint.h>
#include <sys/ioctl.h>

struct user_reg {
	uint32_t size;
	uint8_t enable_bit, enable_size;
	uint16_t flags;
	uint64_t enable_addr;
	uint64_t name_args;
	uint32_t write_index;
} __attribute__((packed));

struct user_unreg {
	uint32_t size;
	uint8_t disable_bit, reserved;
	uint16_t reserved2;
	uint64_t disable_addr;
} __attribute__((packed));

/* Several layouts under one name, "name.<hex>" in the system user_events_multi. Linux 6.9; EINVAL before. */
#define USER_EVENT_REG_MULTI_FORMAT (1 << 1)

/* The argument's size is that of a pointer, here and in the kernel. */
#define DIAG_IOCSREG _IOWR('*', 0, struct user_reg *)
#define DIAG_IOCSUNREG _IOW('*', 2, struct user_unreg *)

#endif
