// SPDX-License-Identifier: MIT
// flightrec complete WORD...: prints how the last WORD of a command line can be completed, for the
// completion of shells (tools/completion). The options, and the kind of value that each takes, are
// read from the output of --help, so they are defined in one place.
//
// Prints one candidate on each line. A line that begins with a colon asks the shell to offer names
// itself: ":files" (":files .frec": those with this ending, and folders on the way), ":folders",
// ":commands".
#include <ctype.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "export/export.h"
#include "proto/cleanup.h"
#include "recorder/sources/transport.h"
#include "tools/cli.h"

#define OUTPUT_MAX (1u << 20)

// Runs this program with these arguments. Returns its output, or NULL if memory or descriptors have
// run out.
static char *output_of(const char *const *arguments)
{
	posix_spawn_file_actions_t actions;
	int ends[2], status;
	size_t size = 0;
	ssize_t n = 0;
	pid_t pid;
	char *text = calloc(1, OUTPUT_MAX);

	if (!text || pipe2(ends, O_CLOEXEC)) {
		free(text);
		return NULL;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	status = posix_spawn(&pid, "/proc/self/exe", &actions, NULL, (char *const *)arguments,
			     environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	while (!status && size < OUTPUT_MAX - 1 &&
	       (n = read(ends[0], text + size, OUTPUT_MAX - 1 - size)) > 0)
		size += (size_t)n;
	close(ends[0]);
	if (!status)
		waitpid(pid, &status, 0);
	text[size] = '\0';
	return text;
}

static void offer(const char *lead, const char *candidate, size_t length, const char *begun)
{
	if (length >= strlen(begun) && !strncmp(candidate, begun, strlen(begun)))
		printf("%s%.*s\n", lead, (int)length, candidate);
}

// Offers the first word of each line that has exactly this indentation.
static void offer_first_words(const char *text, const char *indent, const char *lead,
			      const char *begun)
{
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, indent, strlen(indent)) &&
		    isalnum((unsigned char)line[strlen(indent)]))
			offer(lead, line + strlen(indent), strcspn(line + strlen(indent), " \n"),
			      begun);
	}
}

static void offer_events(const char *lead, const char *begun)
{
	char glob[256];
	const char *arguments[] = {"flightrec", "events", glob, NULL};
	FREC_FREE char *text = NULL;

	snprintf(glob, sizeof(glob), "%s*", begun);
	text = output_of(arguments);
	offer_first_words(text, "", lead, begun);
}

// Offers values of an option. `kind` is the word for the value in --help.
static void offer_values(const char *kind, const char *lead, const char *begun)
{
	static const char *const whens[] = {"auto", "always", "never"};

	if (!strcmp(kind, "FORMAT")) {
		for (size_t i = 0; frec__writers[i]; i++)
			offer(lead, frec__writers[i]->name, strlen(frec__writers[i]->name), begun);
	} else if (!strcmp(kind, "KIND")) {
		for (size_t i = 0; frec__compressions[i]; i++)
			offer(lead, frec__compressions[i]->name,
			      strlen(frec__compressions[i]->name), begun);
	} else if (!strcmp(kind, "HOW")) {
		for (size_t i = 0; i < FREC_TRANSPORT_COUNT; i++)
			offer(lead, frec__transport_names[i], strlen(frec__transport_names[i]),
			      begun);
	} else if (!strcmp(kind, "WHEN")) {
		for (size_t i = 0; i < sizeof(whens) / sizeof(whens[0]); i++)
			offer(lead, whens[i], strlen(whens[i]), begun);
	} else if (!strcmp(kind, "EVENT")) {
		offer_events(lead, begun);
	} else if (!strcmp(kind, "DIR")) {
		puts(":folders");
	} else if (!strcmp(kind, "OUT") || !strcmp(kind, "FILE") || !strcmp(kind, "ELF") ||
		   !strcmp(kind, "SOCKET")) {
		puts(":files");
	}
}

/*
 * Walks the options that `help` describes, in lines such as
 *
 *	  -f, --format FORMAT   the format of the -o that follows
 *
 * If `option` is NULL, offers each of them. Otherwise returns whether that option exists, and the
 * word for its value in `ret_kind` (empty: the option takes no value, or only one after a '=').
 */
static bool walk_options(const char *help, const char *option, const char *begun, char *ret_kind,
			 size_t room)
{
	for (const char *line = help; line && *line; line = strchr(line, '\n')) {
		const char *p;
		bool found = false;

		line += *line == '\n';
		p = line + strspn(line, " ");
		if (p == line || *p != '-')
			continue;
		for (;;) {
			size_t length = strcspn(p, " ,[=\n");

			if (!option)
				offer("", p, length, begun);
			else if (strlen(option) == length && !strncmp(p, option, length))
				found = true;
			p += length;
			if (strncmp(p, ", -", 3) != 0)
				break;
			p += 2;
		}
		if (found) {
			p += *p == ' ';
			snprintf(ret_kind, room, "%.*s", (int)strcspn(p, " [\n"), p);
			return true;
		}
	}
	return false;
}

static void offer_positional(const char *help, const char *begun)
{
	size_t usage = strcspn(help, "\n");
	FREC_FREE char *line = strndup(help, usage);

	if (!line)
		return;
	if (strstr(line, " FILE.frec"))
		puts(":files .frec");
	else if (strstr(line, " PERF.DATA"))
		puts(":files");
	else if (strstr(line, "GLOB"))
		offer_events("", begun);
	else if (strstr(line, "[--] COMMAND"))
		puts(":commands");
}

static void complete(int count, char **words)
{
	const char *arguments[] = {"flightrec", words[0], "--help", NULL};
	FREC_FREE char *help =
		output_of(count > 1 ? arguments : (const char *[]){"flightrec", "--help", NULL});
	char *last = words[count - 1], *equals = strchr(last, '=');
	char kind[64];

	if (!help)
		return;
	if (count == 1) {
		offer_first_words(help, "  ", "", last);
		return;
	}
	for (int i = 1; i < count - 1; i++) {
		if (!strcmp(words[i], "--")) {
			puts(i == count - 2 ? ":commands" : ":files");
			return;
		}
	}
	if (!strncmp(last, "--", 2) && equals) {
		*equals = '\0';
		if (walk_options(help, last, "", kind, sizeof(kind)) && *kind) {
			char lead[128];

			snprintf(lead, sizeof(lead), "%s=", last);
			offer_values(kind, lead, equals + 1);
		}
	} else if (count > 2 && *words[count - 2] == '-' &&
		   walk_options(help, words[count - 2], "", kind, sizeof(kind)) && *kind) {
		offer_values(kind, "", last);
	} else if (*last == '-') {
		walk_options(help, NULL, last, kind, sizeof(kind));
		offer("", "--help", 6, last);
	} else {
		offer_positional(help, last);
	}
}

int frec_cmd_complete(int argc, char **argv)
{
	if (argc > 1)
		complete(argc - 1, argv + 1);
	return fflush(stdout) ? FREC_EXIT_FAILED : FREC_EXIT_DONE;
}
