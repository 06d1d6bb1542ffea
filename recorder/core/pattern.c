// SPDX-License-Identifier: MIT
// Makes patterns for core dumps, and expands them as the kernel does.
#include "recorder/core/pattern.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/read_file.h"

#define COMMAND " core "

// The letters that the handler itself needs: the pid outside and inside the process's pid namespace
// (the latter is part of a file name with kernel.core_uses_pid), whether the process's user may see
// its memory, and how large a core file may be.
#define NEEDED "Ppdc"

// The letters that expand to text; the others expand to numbers. Texts come last in our pattern,
// because a kernel before 5.3 splits them at blanks into several arguments, which must not be
// mistaken for the argument of a number.
#define TEXTS "hefE"

static void append(char *pattern, size_t *used, const char *text, size_t size)
{
	if (*used + size < FREC_CORE_PATTERN_MAX)
		memcpy(pattern + *used, text, size);
	*used += size;
}

static void add_letter(char *pattern, size_t *used, bool has[UCHAR_MAX + 1], char letter)
{
	const char argument[] = {' ', letter, '%', letter};

	if (has[(unsigned char)letter])
		return;
	has[(unsigned char)letter] = true;
	append(pattern, used, argument, sizeof(argument));
}

// Adds letters of the previous pattern: those that expand to texts, or those that expand to
// numbers.
static void add_letters(char *pattern, size_t *used, bool has[UCHAR_MAX + 1], const char *previous,
			bool texts)
{
	for (const char *p = previous; *p; p++) {
		if (*p != '%')
			continue;
		p++;
		if (!*p)
			break;
		if (isalpha((unsigned char)*p) && !!strchr(TEXTS, *p) == texts)
			add_letter(pattern, used, has, *p);
	}
}

int frec__core_pattern_make(const char *tool, const char *settings, const char *previous,
			    char ret[FREC_CORE_PATTERN_MAX], struct frec_error *reterr)
{
	bool has[UCHAR_MAX + 1] = {false};
	char pattern[FREC_CORE_PATTERN_MAX];
	size_t used = 0;

	if (*tool != '/' || strpbrk(tool, " \t\n%"))
		return frec__error(
			reterr, -EINVAL,
			"%s: the kernel needs an absolute path without blanks or '%%': install "
			"flightrec at another path",
			tool);
	append(pattern, &used, "|", 1);
	append(pattern, &used, tool, strlen(tool));
	append(pattern, &used, COMMAND, strlen(COMMAND));
	append(pattern, &used, settings, strlen(settings));
	if (*settings)
		append(pattern, &used, " ", 1);
	append(pattern, &used, FREC_CORE_KERNEL, strlen(FREC_CORE_KERNEL));
	for (const char *p = NEEDED; *p; p++)
		add_letter(pattern, &used, has, *p);
	add_letters(pattern, &used, has, previous, false);
	add_letters(pattern, &used, has, previous, true);
	if (used >= FREC_CORE_PATTERN_MAX)
		return frec__error(reterr, -EINVAL,
				   "kernel.core_pattern would have %zu bytes, and the kernel takes "
				   "%d: install flightrec at a shorter path than %s",
				   used, FREC_CORE_PATTERN_MAX - 1, tool);
	memcpy(ret, pattern, used);
	ret[used] = 0;
	return 0;
}

// Reads the command of systemd-coredump out of a file of sysctl.d(5). Returns false if the file
// does not name one that exists.
static bool read_command(const char *root, const char *file, char ret[FREC_CORE_PATTERN_MAX])
{
	char path[PATH_MAX], *line, *command;

	snprintf(path, sizeof(path), "%s%s", root, file);

	FREC_FREE char *text = frec__read_file_at(AT_FDCWD, path, 65536);

	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, "kernel.core_pattern=|", 21) != 0)
			continue;
		command = line + 20;
		command[strcspn(command, "\n")] = 0;
		snprintf(path, sizeof(path), "%s%.*s", root, (int)strcspn(command + 1, " "),
			 command + 1);
		if (!strstr(path, "/systemd-coredump") || access(path, X_OK) ||
		    strlen(command) >= FREC_CORE_PATTERN_MAX)
			return false;
		strcpy(ret, command);
		return true;
	}
	return false;
}

void frec__core_pattern_receiver(const char *root, const char *previous,
				 char ret[FREC_CORE_PATTERN_MAX])
{
	static const char *const files[] = {
		"/etc/sysctl.d/50-coredump.conf", "/run/sysctl.d/50-coredump.conf",
		"/usr/lib/sysctl.d/50-coredump.conf", "/lib/sysctl.d/50-coredump.conf"};
	static const char command[] = "/usr/lib/systemd/systemd-coredump";
	char path[PATH_MAX];

	strcpy(ret, previous);
	if (*previous != '@' || !strstr(previous, "/systemd/"))
		return;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (read_command(root, files[i], ret))
			return;
	}
	// What these files say in the first version of systemd that has the socket.
	snprintf(path, sizeof(path), "%s%s", root, command);
	if (!access(path, X_OK))
		snprintf(ret, FREC_CORE_PATTERN_MAX, "|%s %%P %%u %%g %%s %%t %%c %%h %%d %%F",
			 command);
}

bool frec__core_pattern_is_ours(const char *pattern)
{
	const char *command = strstr(pattern, COMMAND);

	return *pattern == '|' && command && strstr(command, " " FREC_CORE_KERNEL " ");
}

void frec__core_values_parse(int argc, char *const *argv, struct frec_core_values *ret)
{
	*ret = (struct frec_core_values){0};
	for (int i = 0; i < argc; i++) {
		unsigned char letter = (unsigned char)argv[i][0];

		if (letter && !ret->of[letter])
			ret->of[letter] = argv[i] + 1;
	}
}

// Returns what %LETTER expands to, which is "" if the kernel does not know the letter.
static const char *value_of(const struct frec_core_values *values, char letter)
{
	const char *value = letter == '%' ? "%" : values->of[(unsigned char)letter];

	return value ? value : "";
}

int frec__core_pattern_file(const char *pattern, const struct frec_core_values *values,
			    bool uses_pid, char *ret, size_t size)
{
	bool has_pid = false;
	size_t used = 0;
	FILE *out = fmemopen(ret, size, "w");

	if (!out)
		return -ENAMETOOLONG;
	*ret = 0; // fclose() adds a NUL only if something was written
	for (const char *p = pattern; *p; p++) {
		const char literal[] = {*p, 0};
		const char *piece = literal;

		if (*p == '%') {
			p++;
			if (!*p)
				break;
			has_pid |= *p == 'p';
			piece = value_of(values, *p);
		}
		used += strlen(piece);
		fputs(piece, out);
	}
	if (uses_pid && !has_pid) {
		used += 1 + strlen(value_of(values, 'p'));
		fprintf(out, ".%s", value_of(values, 'p'));
	}
	fclose(out);
	return used < size ? 0 : -ENAMETOOLONG;
}

int frec__core_pattern_command(const char *pattern, const struct frec_core_values *values,
			       char ***ret)
{
	size_t words = 0, bytes = 0, used = 0;
	FREC_FREE char **command = NULL;
	char *text;

	// Counts for each character the room for its value or for the character itself, and for a
	// NUL, because each character may be a word of its own.
	for (const char *p = pattern + 1; *p; p++)
		bytes += 1 + (p[-1] == '%' ? strlen(value_of(values, *p)) : 1);
	command = malloc((strlen(pattern) + 1) * sizeof(*command) + bytes + 1);
	if (!command)
		return -ENOMEM;
	text = (char *)(command + strlen(pattern) + 1);
	// The pattern is split before it is expanded, so that a value with blanks stays one
	// argument.
	for (const char *p = pattern + 1; *p;) {
		if (isspace((unsigned char)*p)) {
			p++;
			continue;
		}
		command[words++] = text + used;
		for (; *p && !isspace((unsigned char)*p); p++) {
			const char literal[] = {*p, 0};
			const char *piece = literal;

			if (*p == '%') {
				if (!p[1]) {
					p++;
					break;
				}
				piece = value_of(values, *++p);
			}
			memcpy(text + used, piece, strlen(piece));
			used += strlen(piece);
		}
		text[used++] = 0;
	}
	command[words] = NULL;
	if (!words)
		return -EINVAL;
	*ret = FREC_TAKE_PTR(command);
	return 0;
}
