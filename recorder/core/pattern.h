/* SPDX-License-Identifier: MIT */
/*
 * Patterns of /proc/sys/kernel/core_pattern, which core(5) describes. This makes our pattern, and
 * expands the previous one as the kernel would.
 *
 * The kernel describes the process to a handler by expanding %LETTER in its command line. Our
 * pattern has the letters that we need and those of the previous pattern, each as one argument that
 * begins with the letter: "P%P s%s". So letters that are newer than this program are passed on too.
 */
#ifndef FREC_RECORDER_CORE_PATTERN_H
#define FREC_RECORDER_CORE_PATTERN_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "proto/error.h"

#define FREC_CORE_PATTERN "/proc/sys/kernel/core_pattern"
/* CORENAME_MAX_SIZE of the kernel's include/linux/binfmts.h: bytes of a pattern including its
 * NUL. */
#define FREC_CORE_PATTERN_MAX 128

/* Our pattern has this argument before those that the kernel expands. A command line that a person
 * types does not have it. */
#define FREC_CORE_KERNEL "--kernel"

/* The value of each letter of our pattern, or NULL for a letter that it does not have. The values
 * point into the command line. */
struct frec_core_values {
	const char *of[UCHAR_MAX + 1];
};

/*
 * Makes the pattern that runs `tool core` and has the letters of `previous`. `tool` is an absolute
 * path. `settings` are options that precede the letters, and may be empty. Returns 0, or -EINVAL if
 * no valid pattern can be made.
 */
int frec__core_pattern_make(const char *tool, const char *settings, const char *previous,
			    char ret[FREC_CORE_PATTERN_MAX], struct frec_error *reterr);

/*
 * Finds out where core dumps go on to. That is `previous` itself, unless it is the socket of
 * systemd-coredump. Its server asks the kernel about the process that is connected, which would be
 * us, so core dumps go to the command that systemd-coredump has for kernels without such sockets.
 * `root` is "", or a folder in which its files are looked for instead.
 */
void frec__core_pattern_receiver(const char *root, const char *previous,
				 char ret[FREC_CORE_PATTERN_MAX]);

/* Returns whether frec__core_pattern_make() made this pattern, for a tool at any path. */
bool frec__core_pattern_is_ours(const char *pattern);

/* Parses the arguments after FREC_CORE_KERNEL. If a letter occurs twice, its first
 * value is used. */
void frec__core_values_parse(int argc, char *const *argv, struct frec_core_values *ret);

/* Expands `pattern` to the name of a file, as the kernel would. `uses_pid` is kernel.core_uses_pid.
 * Returns 0 or -ENAMETOOLONG. */
int frec__core_pattern_file(const char *pattern, const struct frec_core_values *values,
			    bool uses_pid, char *ret, size_t size);

/*
 * Expands `pattern`, which begins with '|', to a command, as the kernel would. `ret` is a
 * NULL-terminated array of arguments in one block of memory, which the caller frees. Returns 0,
 * -ENOMEM, or -EINVAL if the pattern names no command.
 */
int frec__core_pattern_command(const char *pattern, const struct frec_core_values *values,
			       char ***ret);

#endif
