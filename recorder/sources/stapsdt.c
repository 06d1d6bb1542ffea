// SPDX-License-Identifier: MIT
// Gathers the probes of a file from its notes, which a child reads (declared/file_reader.h).
#include "recorder/sources/stapsdt.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/grow.h"
#include "recorder/declared/file_reader.h"

// Returns whether an argument begins at `text`. An argument begins with its size in bytes, which is
// negative if the argument is signed; then 'f' if it is a floating-point number; then '@'.
static bool begins_argument(const char *text)
{
	const char *at = text + (*text == '-');

	if (!isdigit((unsigned char)*at))
		return false;
	while (isdigit((unsigned char)*at))
		at++;
	return at[*at == 'f'] == '@';
}

uint32_t frec__stapsdt_arguments(const char *text, uint32_t *ret_signed)
{
	uint32_t count = 0;

	*ret_signed = 0;
	// An operand can contain blanks, as in aarch64's "8@[sp, 16]", so not every word is
	// an argument.
	for (bool outside = true; *text; text++) {
		if (outside && count < FREC_FOREIGN_ARGUMENTS_MAX && begins_argument(text)) {
			*ret_signed |= (uint32_t)(*text == '-') << count;
			count++;
		}
		outside = isspace((unsigned char)*text);
	}
	return count;
}

static int add_site(struct frec_usdt_probes *probes, const char *provider, const char *name,
		    const char *arguments)
{
	struct frec_usdt_probe *probe = NULL;
	uint32_t is_signed, count = frec__stapsdt_arguments(arguments, &is_signed);

	for (size_t i = 0; i < probes->count && !probe; i++) {
		if (!strcmp(probes->probe[i].name, name) &&
		    !strcmp(probes->probe[i].provider, provider))
			probe = &probes->probe[i];
	}
	if (!probe) {
		if (!frec__grow(&probes->probe, probes->count, sizeof(*probe)))
			return -ENOMEM;
		probe = &probes->probe[probes->count];
		*probe = (struct frec_usdt_probe){.provider = strdup(provider),
						  .name = strdup(name)};
		if (!probe->provider || !probe->name) {
			free(probe->provider);
			free(probe->name);
			return -ENOMEM;
		}
		probes->count++;
	}
	probe->sites++;
	probe->is_signed |= is_signed;
	if (count > probe->arguments)
		probe->arguments = count;
	return 0;
}

int frec__stapsdt_take(struct frec_usdt_probes *probes, const struct frec_file *file,
		       const char *provider_glob, const char *name_glob)
{
	struct frec_bytes bytes = frec__bytes(file->finding, file->size), note;
	enum frec_finding_kind kind;
	size_t sites = 0;
	int r = 0;

	while (!r && frec__file_finding_next(&bytes, &kind, &note)) {
		const char *provider = frec__bytes_text(&note), *name = frec__bytes_text(&note),
			   *arguments = frec__bytes_text(&note);

		if (kind != FREC_FINDING_PROBE || note.failed || !*provider || !*name)
			continue;
		if (++sites > FREC_USDT_SITES_MAX)
			r = -E2BIG;
		else if (!fnmatch(provider_glob, provider, 0) && !fnmatch(name_glob, name, 0))
			r = add_site(probes, provider, name, arguments);
	}
	return r;
}

struct search {
	struct frec_usdt_probes *probes;
	const char *provider, *name;
	int r;
};

static void take_findings(void *context, struct frec_file *file)
{
	struct search *search = context;

	search->r = frec__stapsdt_take(search->probes, file, search->provider, search->name);
}

int frec__stapsdt_read(struct frec_usdt_probes *probes, int fd, const char *path,
		       const char *provider, const char *name)
{
	struct search search = {.probes = probes, .provider = provider, .name = name};
	struct frec_file file = {.kinds = FREC_LOOK_PROBES, .trusted = true};
	struct frec_file_reader reader;
	struct stat status;

	if (fstat(fd, &status))
		return -errno;
	file.uid = status.st_uid;
	file.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (file.fd < 0)
		return -errno;
	file.path = strdup(path);
	if (!file.path) {
		close(file.fd);
		return -ENOMEM;
	}
	frec__file_reader_init(&reader);
	reader.done = take_findings;
	reader.context = &search;
	if (frec__file_reader_add(&reader, &file))
		search.r = -EIO;
	frec__file_reader_deinit(&reader);
	return search.r;
}

void frec__usdt_probes_deinit(struct frec_usdt_probes *probes)
{
	for (size_t i = 0; i < probes->count; i++) {
		free(probes->probe[i].provider);
		free(probes->probe[i].name);
	}
	free(probes->probe);
	*probes = (struct frec_usdt_probes){0};
}
