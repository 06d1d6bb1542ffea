/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Where a site of a USDT probe has an argument. The child that reads the file of the probe makes
 * these from the words of the site's note, and a BPF program reads the argument by them:
 *
 *	number = add + [base] + ([index] << scale) + [address of the site], as `flags` say
 *	argument = number, or the `size` bytes at the address `number`
 */
#ifndef FREC_RECORDER_DECLARED_USDT_PLACE_H
#define FREC_RECORDER_DECLARED_USDT_PLACE_H

/* The maximum number of arguments of a probe. <sys/sdt.h> has macros for up to 12, but other ways
 * to make probes have more. Arguments beyond this number are not recorded. */
#define FREC_USDT_ARGUMENTS_MAX 24

/* How many 8-byte words the kernel's pt_regs (aarch64: user_pt_regs) has. */
#if defined(__x86_64__) || defined(__TARGET_ARCH_x86)
#define FREC_USDT_REGISTER_WORDS 21
#else
#define FREC_USDT_REGISTER_WORDS 34
#endif
#define FREC_USDT_NO_REGISTER 255

/* Bits of frec_usdt_place.flags. */
#define FREC_USDT_READABLE 1u	     /* if this is not set, nobody knows how to read the argument */
#define FREC_USDT_MEMORY 2u	     /* the argument is at the address `number` */
#define FREC_USDT_FROM_SITE 4u	     /* the address of the site is part of `number` */
#define FREC_USDT_SECOND_BYTE 8u     /* bits 8 to 15 of `number` are the argument, as in %ah */
#define FREC_USDT_INDEX_UNSIGNED 16u /* only the low 32 bits of the index register count, */
#define FREC_USDT_INDEX_SIGNED 32u   /* and these are signed */
#define FREC_USDT_SIGNED 64u
#define FREC_USDT_FLOAT 128u

struct frec_usdt_place {
	unsigned long long add;
	/* the number of the register's 8-byte word in the kernel's pt_regs, or
	 * FREC_USDT_NO_REGISTER */
	unsigned char base, index;
	unsigned char scale; /* at most 4 */
	unsigned char size;  /* the bytes to read: 1, 2, 4 or 8 */
	unsigned char flags;
	/* the bytes of the argument as its note says, or 0 if it does not say: more than `size` for
	 * a narrower register */
	unsigned char declared_size;
	unsigned char reserved[2];
};

#endif
