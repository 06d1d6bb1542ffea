// SPDX-License-Identifier: MIT
// What the commands of the tool share.
#include "tools/cli.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "proto/clocks.h"

#define PROGRESS_DELAY_NS 1000000000ull
#define PROGRESS_STEP_NS 100000000ull
#define PROGRESS_WIDTH 40

int frec__cli_fail(const char *format, ...)
{
	va_list arguments;

	fputs("flightrec: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return FREC_EXIT_FAILED;
}

int frec__cli_usage(const char *usage, const char *format, ...)
{
	va_list arguments;

	fputs("flightrec: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\nusage: %s\n", usage);
	return FREC_EXIT_USAGE;
}

void frec__progress_start(struct frec_progress *progress)
{
	progress->shown = false;
	progress->start = frec__monotonic();
	progress->next = isatty(STDERR_FILENO) ? progress->start + PROGRESS_DELAY_NS : UINT64_MAX;
}

void frec__progress_update(void *data, uint64_t done, uint64_t total)
{
	struct frec_progress *progress = data;
	uint64_t time, left;
	int filled;

	if (progress->next == UINT64_MAX || !total || !done || done > total)
		return;
	time = frec__monotonic();
	if (time < progress->next)
		return;
	progress->next = time + PROGRESS_STEP_NS;
	progress->shown = true;
	filled = (int)(done * PROGRESS_WIDTH / total);
	left = (uint64_t)((double)(time - progress->start) / (double)done * (double)(total - done) /
			  1e9);
	fprintf(stderr, "\r[%.*s%*s] %3u%%, %" PRIu64 ":%02u left ", filled,
		"########################################", PROGRESS_WIDTH - filled, "",
		(unsigned int)(done * 100 / total), left / 60, (unsigned int)(left % 60));
}

void frec__progress_end(struct frec_progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
}
