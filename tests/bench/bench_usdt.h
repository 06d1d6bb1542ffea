/* SPDX-License-Identifier: MIT */
/* Shared by bench_usdt and its BPF programs. */
#ifndef FREC_TESTS_BENCH_USDT_H
#define FREC_TESTS_BENCH_USDT_H

/* The size of a record: common header, u64, locator, i32, f64, and a string of 18 characters with
 * its NUL. */
#define BENCH_RECORD (8 + 8 + 4 + 4 + 8 + 19)

#endif
