// SPDX-License-Identifier: MIT
// Gathers the probes of a file from its notes, which a child reads (declared/file_reader.h).
#include "recorder/sources/stapsdt.h"

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

static struct frec_usdt_probe *find_or_add(struct frec_usdt_probes *probes, const char *provider,
					   const char *name)
{
	struct frec_usdt_probe *probe;

	for (size_t i = 0; i < probes->count; i++) {
		probe = &probes->probe[i];
		if (!strcmp(probe->name, name) && !strcmp(probe->provider, provider))
			return probe;
	}
	if (!frec__grow(&probes->probe, probes->count, sizeof(*probe)))
		return NULL;
	probe = &probes->probe[probes->count];
	*probe = (struct frec_usdt_probe){.provider = strdup(provider), .name = strdup(name)};
	if (!probe->provider || !probe->name) {
		frec__usdt_probe_deinit(probe);
		return NULL;
	}
	probes->count++;
	return probe;
}

static uint8_t float_size(const struct frec_usdt_place *place)
{
	return place->flags & FREC_USDT_FLOAT ? place->declared_size : 0;
}

// Takes a place from the child. A place that makes no sense cannot be read.
static void take_place(struct frec_usdt_place *place)
{
	bool in_bounds =
		(place->base < FREC_USDT_REGISTER_WORDS || place->base == FREC_USDT_NO_REGISTER) &&
		(place->index < FREC_USDT_REGISTER_WORDS ||
		 place->index == FREC_USDT_NO_REGISTER) &&
		place->scale <= 4;
	bool is_size = place->size == 1 || place->size == 2 || place->size == 4 || place->size == 8;

	if (!in_bounds || !is_size)
		place->flags &= (uint8_t)~FREC_USDT_READABLE;
	if (place->declared_size != 4 && place->declared_size != 8)
		place->flags &= (uint8_t)~FREC_USDT_FLOAT;
}

static void add_argument(struct frec_usdt_probe *probe, uint32_t n, struct frec_usdt_place *place)
{
	take_place(place);
	if (n >= probe->arguments) {
		probe->arguments = n + 1;
		probe->float_size[n] = float_size(place);
	}
	if (probe->float_size[n] != float_size(place))
		place->flags &= (uint8_t)~FREC_USDT_READABLE;
	probe->is_signed |= place->flags & FREC_USDT_SIGNED ? 1u << n : 0;
	probe->unreadable |= place->flags & FREC_USDT_READABLE ? 0 : 1u << n;
}

static int add_site(struct frec_usdt_probes *probes, const char *provider, const char *name,
		    const struct frec_probe_site *found, const uint8_t *places)
{
	struct frec_usdt_probe *probe = find_or_add(probes, provider, name);
	struct frec_usdt_probe_site *site;
	uint32_t left_out = found->arguments - found->places;

	if (!probe || !frec__grow(&probe->site, probe->sites, sizeof(*site)))
		return -ENOMEM;
	site = &probe->site[probe->sites];
	*site = (struct frec_usdt_probe_site){
		.offset = found->offset,
		.semaphore = found->semaphore,
		.places = found->places,
		.place = calloc(found->places + 1, sizeof(*site->place))};
	if (!site->place)
		return -ENOMEM;
	probe->sites++;
	memcpy(site->place, places, found->places * sizeof(*site->place));
	for (uint32_t i = 0; i < site->places; i++)
		add_argument(probe, i, &site->place[i]);
	probe->left_out = left_out > probe->left_out ? left_out : probe->left_out;
	return 0;
}

struct search {
	struct frec_usdt_probes *probes;
	const char *provider, *name;
	size_t sites;
	int r;
};

static int take_site(struct search *search, struct frec_bytes *note)
{
	const uint8_t *bytes = frec__bytes_take(note, sizeof(struct frec_probe_site)), *places;
	struct frec_probe_site site = {0};
	const char *provider, *name;

	if (bytes)
		memcpy(&site, bytes, sizeof(site));
	if (site.places > FREC_USDT_ARGUMENTS_MAX || site.places > site.arguments)
		return 0;
	places = frec__bytes_array(note, site.places, sizeof(struct frec_usdt_place));
	provider = frec__bytes_text(note);
	name = frec__bytes_text(note);
	if (note->failed || !*provider || !*name)
		return 0;
	if (++search->sites > FREC_USDT_SITES_MAX)
		return -E2BIG;
	if (fnmatch(search->provider, provider, 0) || fnmatch(search->name, name, 0))
		return 0;
	return add_site(search->probes, provider, name, &site, places);
}

int frec__stapsdt_take(struct frec_usdt_probes *probes, const struct frec_file *file,
		       const char *provider_glob, const char *name_glob)
{
	struct frec_bytes bytes = frec__bytes(file->finding, file->size), finding;
	struct search search = {.probes = probes, .provider = provider_glob, .name = name_glob};
	enum frec_finding_kind kind;
	int r = 0;

	while (!r && frec__file_finding_next(&bytes, &kind, &finding)) {
		if (kind == FREC_FINDING_PROBE)
			r = take_site(&search, &finding);
		else if (kind == FREC_FINDING_OTHER_MACHINE)
			probes->other_machine = frec__bytes_u32(&finding) == 32 ? 32 : 64;
	}
	return r;
}

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

void frec__usdt_probe_deinit(struct frec_usdt_probe *probe)
{
	for (size_t i = 0; i < probe->sites; i++)
		free(probe->site[i].place);
	free(probe->site);
	free(probe->provider);
	free(probe->name);
	*probe = (struct frec_usdt_probe){0};
}

void frec__usdt_probes_deinit(struct frec_usdt_probes *probes)
{
	for (size_t i = 0; i < probes->count; i++)
		frec__usdt_probe_deinit(&probes->probe[i]);
	free(probes->probe);
	*probes = (struct frec_usdt_probes){0};
}
