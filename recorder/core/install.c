// SPDX-License-Identifier: MIT
// Installs our pattern, and removes it again.
#include "recorder/core/install.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/new_file.h"
#include "proto/read_file.h"

#define NAME "99-flightrec-core.conf"
#define PREVIOUS "# core dumps go on to: "
#define OURS "kernel.core_pattern="

// The file in /run is gone after a reboot, while the one in /etc stays. /run is searched first.
static const char *const folders[] = {"/run/sysctl.d", "/etc/sysctl.d"};
static const char *const files[] = {"/run/sysctl.d/" NAME, "/etc/sysctl.d/" NAME};
enum { UNTIL_REBOOT, FOR_GOOD, PLACES };

static bool read_setting(char ret[FREC_CORE_PATTERN_MAX])
{
	FREC_FREE char *text =
		frec__read_file_at(AT_FDCWD, FREC_CORE_PATTERN, 2 * FREC_CORE_PATTERN_MAX);

	if (!text)
		return false;
	text[strcspn(text, "\n")] = 0;
	if (strlen(text) >= FREC_CORE_PATTERN_MAX)
		return false;
	strcpy(ret, text);
	return true;
}

static int write_setting(const char *pattern, struct frec_error *reterr)
{
	FREC_CLOSE int fd = open(FREC_CORE_PATTERN, O_WRONLY | O_CLOEXEC);
	char line[FREC_CORE_PATTERN_MAX + 1];
	int size = snprintf(line, sizeof(line), "%s\n", pattern);

	if (fd < 0 || write(fd, line, (size_t)size) != size)
		return frec__error(reterr, -errno, FREC_CORE_PATTERN ": %s%s", strerror(errno),
				   errno == EACCES || errno == EPERM
					   ? ": only root of the machine may set it"
					   : "");
	return 0;
}

// Copies the rest of the line that begins with `begin`. Returns false if there is no such line, or
// if its rest does not fit into `ret`.
static bool find_line(const char *text, const char *begin, char ret[FREC_CORE_PATTERN_MAX])
{
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		size_t size;

		line += *line == '\n';
		if (strncmp(line, begin, strlen(begin)) != 0)
			continue;
		line += strlen(begin);
		size = strcspn(line, "\n");
		if (size >= FREC_CORE_PATTERN_MAX)
			return false;
		memcpy(ret, line, size);
		ret[size] = 0;
		return true;
	}
	return false;
}

static bool read_state(const char *path, struct frec_core_installed *installed)
{
	FREC_FREE char *text = frec__read_file_at(AT_FDCWD, path, 4096);

	return text && find_line(text, PREVIOUS, installed->previous) &&
	       find_line(text, OURS, installed->ours);
}

int frec__core_installed(struct frec_core_installed *ret)
{
	*ret = (struct frec_core_installed){.file = NULL};
	for (int i = 0; i < PLACES && !ret->file; i++) {
		if (read_state(files[i], ret))
			ret->file = files[i];
	}
	return read_setting(ret->current) ? 0 : -errno;
}

static int write_state(const char *path, const char *ours, const char *previous,
		       struct frec_error *reterr)
{
	struct frec_new_file file;
	char text[4 * FREC_CORE_PATTERN_MAX + 256];
	int size = snprintf(text, sizeof(text),
			    "# flightrec-core(1) takes core dumps and passes them on. `flightrec "
			    "core --remove` takes this file away\n# and restores what was set "
			    "before:\n" PREVIOUS "%s\n" OURS "%s\n",
			    previous, ours);
	int r = frec__new_file_create(&file, path, reterr);

	if (r)
		return r;
	r = frec__new_file_write(&file, text, (size_t)size, reterr);
	// Everybody may read the file, as everybody may read the setting, so that doctor can report
	// both without any rights.
	if (!r && fchmod(file.fd, 0644))
		r = frec__error(reterr, -errno, "%s: %s", path, strerror(errno));
	if (!r)
		r = frec__new_file_commit(&file, reterr);
	frec__new_file_discard(&file);
	return r;
}

// Checks that our handler can replace this pattern.
static int check_previous(const char *pattern, struct frec_error *reterr)
{
	if (frec__core_pattern_is_ours(pattern))
		return frec__error(reterr, -EEXIST,
				   "kernel.core_pattern is \"%s\", and no file says what it was "
				   "before: set it (sysctl kernel.core_pattern=core), then install "
				   "again",
				   pattern);
	return 0;
}

int frec__core_install(const char *tool, const char *settings, bool until_reboot,
		       struct frec_error *reterr)
{
	int place = until_reboot ? UNTIL_REBOOT : FOR_GOOD;
	char pattern[FREC_CORE_PATTERN_MAX], receiver[FREC_CORE_PATTERN_MAX];
	struct frec_core_installed before;
	const char *previous;
	int r = frec__core_installed(&before);

	if (r)
		return frec__error(reterr, r, FREC_CORE_PATTERN ": %s", strerror(-r));
	// If somebody has set another pattern since ours was installed, core dumps are passed on
	// according to that pattern.
	previous = before.file && !strcmp(before.current, before.ours) ? before.previous
								       : before.current;
	r = check_previous(previous, reterr);
	frec__core_pattern_receiver("", previous, receiver);
	if (!r)
		r = frec__core_pattern_make(tool, settings, receiver, pattern, reterr);
	if (r)
		return r;
	if (mkdir(folders[place], 0755) && errno != EEXIST)
		return frec__error(reterr, -errno, "%s: %s", folders[place], strerror(errno));
	// The file is written before the setting, so that a crash in between does not lose the
	// previous pattern.
	r = write_state(files[place], pattern, previous, reterr);
	if (r)
		return r;
	(void)unlink(files[!place]);
	r = write_setting(pattern, reterr);
	if (r)
		(void)unlink(files[place]);
	return r;
}

int frec__core_remove(bool *ret_kept, struct frec_error *reterr)
{
	struct frec_core_installed installed;
	int r = frec__core_installed(&installed);

	if (r)
		return frec__error(reterr, r, FREC_CORE_PATTERN ": %s", strerror(-r));
	if (!installed.file)
		return frec__error(reterr, -ENOENT,
				   "flightrec core is not installed: neither %s nor %s exists",
				   files[FOR_GOOD], files[UNTIL_REBOOT]);
	*ret_kept = strcmp(installed.current, installed.ours) != 0;
	if (!*ret_kept)
		r = write_setting(installed.previous, reterr);
	if (!r && unlink(installed.file))
		r = frec__error(reterr, -errno, "%s: %s", installed.file, strerror(errno));
	return r;
}
