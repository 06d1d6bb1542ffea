// SPDX-License-Identifier: MIT
// flightrec core: the kernel's handler of core dumps, and having the kernel run it.
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/core/handle.h"
#include "recorder/core/install.h"
#include "recorder/core/stacks.h"
#include "tools/cli.h"

#define USAGE \
	"flightrec core --install [--until-reboot] [--time SECONDS] [--threads COUNT]\n" \
	"       flightrec core --remove"

#define TIME_MAX 600
#define THREADS_MAX (1 << 22)

static const char help[] =
	"usage: " USAGE "\n\n"
	"Has the kernel hand core dumps to flightrec: the stacks of all threads of a process that "
	"crashes then\n"
	"come into its snapshot. Each core dump goes on to where it went before.\n\n"
	"      --install        set kernel.core_pattern, now and at each boot (/etc/sysctl.d)\n"
	"      --until-reboot   not longer than that (/run/sysctl.d)\n"
	"      --time SECONDS   how long a process that dies is looked at, at most (default 5)\n"
	"      --threads COUNT  how many of its threads are (default 4096)\n"
	"      --remove         restore what was set before\n\n"
	"flightrec doctor tells whether it is installed.\n";

enum { INSTALL = 256, UNTIL_REBOOT, TIME, THREADS, REMOVE, KERNEL };

struct request {
	int what; /* INSTALL, REMOVE, KERNEL; 0: nothing yet */
	bool until_reboot;
	struct frec_core_limits limits;
};

// The kernel starts it with nothing but standard input. What is opened in the others' places must
// not be taken for them, and what is said goes to where the kernel tells of its own troubles with
// core dumps.
static void fill_descriptors(void)
{
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open(fd == STDERR_FILENO ? "/dev/kmsg" : "/dev/null", O_WRONLY | O_CLOEXEC) < 0)
			(void)open("/dev/null", O_WRONLY | O_CLOEXEC);
	}
}

static int handle(const struct request *request, int argc, char **argv)
{
	struct frec_core_installed installed;
	struct frec_core_values values;

	fill_descriptors();
	frec__core_values_parse(argc, argv, &values);
	(void)frec__core_installed(&installed);
	if (!installed.file) {
		fprintf(stderr, "flightrec core: no file says where core dumps go on to (flightrec "
				"core --install "
				"writes it): taking them as the kernel does without a handler\n");
		strcpy(installed.previous, "core");
	}
	return frec__core_handle(&values, &request->limits, installed.previous) ? FREC_EXIT_FAILED
										: FREC_EXIT_DONE;
}

static int install(const struct request *request)
{
	char path[PATH_MAX], settings[64] = "";
	struct frec_error error;
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	int used = 0;

	path[n < 0 ? 0 : n] = 0;
	if (request->limits.seconds != FREC_CORE_SECONDS_DEFAULT)
		used = snprintf(settings, sizeof(settings), "--time=%u", request->limits.seconds);
	if (request->limits.threads != FREC_CORE_THREADS_DEFAULT)
		snprintf(settings + used, sizeof(settings) - (size_t)used, "%s--threads=%zu",
			 used ? " " : "", request->limits.threads);
	if (frec__core_install(path, settings, request->until_reboot, &error))
		return frec__cli_fail("%s", error.message);
	return FREC_EXIT_DONE;
}

static int take_away(void)
{
	struct frec_error error;
	bool kept;

	if (frec__core_remove(&kept, &error))
		return frec__cli_fail("%s", error.message);
	if (kept)
		fprintf(stderr, "flightrec: kernel.core_pattern is another one by now and stays as "
				"it is\n");
	return FREC_EXIT_DONE;
}

// A number from `min` to `max`, or -1.
static long parse_number(const char *text, long min, long max)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	return errno || end == text || *end || value < min || value > max ? -1 : value;
}

static int parse(struct request *request, int argc, char **argv)
{
	static const struct option options[] = {{"install", no_argument, NULL, INSTALL},
						{"until-reboot", no_argument, NULL, UNTIL_REBOOT},
						{"time", required_argument, NULL, TIME},
						{"threads", required_argument, NULL, THREADS},
						{"remove", no_argument, NULL, REMOVE},
						{"kernel", no_argument, NULL, KERNEL},
						{"help", no_argument, NULL, 'h'},
						{0}};
	int option;
	long number;

	opterr = 0;
	while (request->what != KERNEL &&
	       (option = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
		switch (option) {
		case INSTALL:
		case REMOVE:
		case KERNEL:
			if (request->what)
				return -1 - frec__cli_usage(USAGE, "one of --install and --remove");
			request->what = option;
			break;
		case UNTIL_REBOOT:
			request->until_reboot = true;
			break;
		case TIME:
			number = parse_number(optarg, 0, TIME_MAX);
			if (number < 0)
				return -1 - frec__cli_usage(USAGE, "--time %s: 0 to %d seconds",
							    optarg, TIME_MAX);
			request->limits.seconds = (unsigned int)number;
			break;
		case THREADS:
			number = parse_number(optarg, 1, THREADS_MAX);
			if (number < 0)
				return -1 - frec__cli_usage(USAGE, "--threads %s: 1 to %d", optarg,
							    THREADS_MAX);
			request->limits.threads = (size_t)number;
			break;
		default:
			return -1 - frec__cli_other_option(USAGE, help, option, argv[optind - 1]);
		}
	}
	return optind;
}

int frec_cmd_core(int argc, char **argv)
{
	struct request request = {.limits = {.threads = FREC_CORE_THREADS_DEFAULT,
					     .seconds = FREC_CORE_SECONDS_DEFAULT}};
	int first = parse(&request, argc, argv);

	if (first < 0)
		return -1 - first;
	if (request.what == KERNEL)
		return handle(&request, argc - first, argv + first);
	if (first < argc)
		return frec__cli_usage(USAGE, "%s: core takes no arguments", argv[first]);
	if (!request.what)
		return frec__cli_usage(USAGE, "one of --install and --remove");
	return request.what == INSTALL ? install(&request) : take_away();
}
