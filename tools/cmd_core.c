// SPDX-License-Identifier: MIT
// flightrec core: receives core dumps from the kernel, and sets the kernel up to send them.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/core/handle.h"
#include "recorder/core/install.h"
#include "recorder/core/stacks.h"
#include "tools/cli.h"
#include "tools/options.h"

#define TIME_MAX 600
#define THREADS_MAX (1 << 22)

struct request {
	bool install, remove, until_reboot;
	bool kernel; /* --kernel: the kernel has started this program, for a core dump */
	struct frec_core_limits limits;
};

// The kernel starts this program with nothing open but standard input. This function opens standard
// output and error, so that no other file gets their numbers. Standard error becomes the kernel's
// log, where the kernel reports its own problems with core dumps.
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
		fprintf(stderr, "flightrec core: no file names the previous handler of core dumps "
				"(flightrec core --install writes it); writing core files as the "
				"kernel does\n");
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

static int restore(void)
{
	struct frec_error error;
	bool kept;

	if (frec__core_remove(&kept, &error))
		return frec__cli_fail("%s", error.message);
	if (kept)
		fprintf(stderr, "flightrec: kernel.core_pattern was changed since and stays as it "
				"is\n");
	return FREC_EXIT_DONE;
}

static int parse_time(void *data, const char *value, struct frec_error *reterr)
{
	struct frec_core_limits *limits = data;
	uint64_t seconds;

	if (frec__parse_number(value, 0, TIME_MAX, &seconds))
		return frec__error(reterr, -EINVAL, "--time %s: 0 to %d seconds", value, TIME_MAX);
	limits->seconds = (unsigned int)seconds;
	return 0;
}

static int parse_threads(void *data, const char *value, struct frec_error *reterr)
{
	struct frec_core_limits *limits = data;
	uint64_t threads;

	if (frec__parse_number(value, 1, THREADS_MAX, &threads))
		return frec__error(reterr, -EINVAL, "--threads %s: 1 to %d", value, THREADS_MAX);
	limits->threads = (size_t)threads;
	return 0;
}

int frec_cmd_core(int argc, char **argv)
{
	struct request request = {.limits = {.threads = FREC_CORE_THREADS_DEFAULT,
					     .seconds = FREC_CORE_SECONDS_DEFAULT}};
	const struct frec_option options[] = {
		{.name = "install",
		 .flag = &request.install,
		 .help = "set kernel.core_pattern, now and at each boot (/etc/sysctl.d)"},
		{.name = "until-reboot",
		 .flag = &request.until_reboot,
		 .help = "set it until the next boot only (/run/sysctl.d)"},
		{.name = "time",
		 .value = "SECONDS",
		 .parse = parse_time,
		 .data = &request.limits,
		 .help = "how long a dying process is read, at most (default 5)"},
		{.name = "threads",
		 .value = "COUNT",
		 .parse = parse_threads,
		 .data = &request.limits,
		 .help = "how many of its threads are unwound, at most (default 4096)"},
		{.name = "remove", .flag = &request.remove, .help = "restore the previous setting"},
		{.name = "kernel", .flag = &request.kernel, .last = true},
		{0}};
	const struct frec_command_line command = {
		.usage = "flightrec core --install [--until-reboot] [--time SECONDS] [--threads "
			 "COUNT]\n"
			 "       flightrec core --remove",
		.about = "Has the kernel pass core dumps to flightrec, which adds the stacks of "
			 "all threads of a crashed process to its snapshot. Each core dump is then "
			 "passed on to where it went before.",
		.options = {options},
		.more = "flightrec doctor reports whether it is installed.\n",
		.stops_at_argument = true,
	};
	int status;

	if (!frec__options_parse(&command, &argc, &argv, &status))
		return status;
	if (request.install + request.remove + request.kernel != 1)
		return frec__cli_usage(command.usage, "one of --install and --remove");
	if (request.kernel)
		return handle(&request, argc, argv);
	if (argc)
		return frec__cli_usage(command.usage, "%s: core takes no arguments", argv[0]);
	return request.install ? install(&request) : restore();
}
