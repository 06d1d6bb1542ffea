/* SPDX-License-Identifier: MIT */
/*
 * The text of /proc/sys/kernel/core_pattern, as core(5) describes it: ours, and what it says in
 * place of the kernel where another one stood before.
 *
 * The kernel tells a handler about the process by replacing %LETTER in its command line. Ours asks
 * for what it needs itself and for whatever the one before wanted, each as one argument that begins
 * with the letter: "P%P s%s". So a letter that is younger than this program is handed on as well.
 */
#ifndef FREC_RECORDER_CORE_PATTERN_H
#define FREC_RECORDER_CORE_PATTERN_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "proto/error.h"

#define FREC_CORE_PATTERN "/proc/sys/kernel/core_pattern"
/* CORENAME_MAX_SIZE of the kernel's include/linux/binfmts.h: bytes of a pattern with its end. */
#define FREC_CORE_PATTERN_MAX 128

/* The argument behind which those for the handler begin; it tells our own command line from one
 * that people type. */
#define FREC_CORE_KERNEL "--kernel"

/* What the kernel told: a text for each letter, NULL where it was not asked. They point into the
 * command line. */
struct frec_core_values {
	const char *of[UCHAR_MAX + 1];
};

/*
 * Makes the pattern that has the kernel run `tool core` (an absolute path), which passes core dumps
 * on to `previous`. `settings`, which may be empty, go before the letters. -EINVAL: it cannot be
 * written as a pattern.
 */
int frec__core_pattern_make(const char *tool, const char *settings, const char *previous,
			    char ret[FREC_CORE_PATTERN_MAX], struct frec_error *reterr);

/* Whether a pattern is one that was made so, whatever the tool's path. */
bool frec__core_pattern_is_ours(const char *pattern);

/* Takes apart what the kernel made of such a pattern, from behind FREC_CORE_KERNEL on. The first of
 * a letter counts. */
void frec__core_values_parse(int argc, char *const *argv, struct frec_core_values *ret);

/*
 * What the kernel would have made of `pattern`, a file's name; `uses_pid` is kernel.core_uses_pid.
 * Returns 0 or -ENAMETOOLONG.
 */
int frec__core_pattern_file(const char *pattern, const struct frec_core_values *values,
			    bool uses_pid, char *ret, size_t size);

/*
 * The same for a command, whose `pattern` begins with '|': the arguments, ended by NULL, in one
 * piece of memory that the caller frees. Returns 0, -EINVAL where there is no command, or -ENOMEM.
 */
int frec__core_pattern_command(const char *pattern, const struct frec_core_values *values,
			       char ***ret);

#endif
