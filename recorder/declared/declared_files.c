// SPDX-License-Identifier: MIT
// Finds the files that declare events: a program and the libraries that it needs, or the files that
// one process or all processes have mapped. The recorder may run as root and open files of any user
// here, so it opens only regular files, and a child reads them (file_reader.h), none of them twice.
#include "recorder/declared/declared_files.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/grow.h"
#include "proto/read_file.h"
#include "proto/regular_file.h"
#include "recorder/declared/file_reader.h"
#include "recorder/declared/program_files.h"

#define FILES_MAX 16384
#define NEEDED_DEPTH 8
#define SITES_MAX 4096 // the most sites of one file

static bool seen_before(struct frec_declarations *declarations, const struct stat *status)
{
	for (size_t i = 0; i < declarations->files; i++) {
		if (declarations->file[i].inode == status->st_ino &&
		    declarations->file[i].device == status->st_dev &&
		    declarations->file[i].changed.tv_sec == status->st_ctim.tv_sec &&
		    declarations->file[i].changed.tv_nsec == status->st_ctim.tv_nsec)
			return true;
	}
	if (declarations->files == FILES_MAX)
		declarations->files = 0;
	if (frec__grow(&declarations->file, declarations->files, sizeof(*declarations->file)))
		declarations->file[declarations->files++] =
			(struct frec_declaration_file){.device = status->st_dev,
						       .inode = status->st_ino,
						       .changed = status->st_ctim};
	return false;
}

static int add_open(struct frec_declarations *declarations, int fd, const char *path,
		    unsigned int depth, bool named);

// Adds the library `name` from the first folder that has it. `folders` is a colon-separated list,
// in which $ORIGIN stands for the folder of `origin`, the file that needs the library. Returns
// whether the library was found.
static bool add_library(struct frec_declarations *declarations, const char *folders,
			const char *name, const struct frec_file *origin)
{
	const char *slash = strrchr(origin->path, '/');
	int origin_length = slash ? (int)(slash - origin->path) : 0;

	while (*folders) {
		int length = (int)strcspn(folders, ":");
		bool relative = !strncmp(folders, "$ORIGIN", strlen("$ORIGIN"));
		int skip = relative ? (int)strlen("$ORIGIN") : 0;
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%.*s%.*s/%s", relative ? origin_length : 0,
			 origin->path, length - skip, folders + skip, name);
		if (!add_open(declarations, frec__open_regular(path), path, origin->depth - 1,
			      true))
			return true;
		folders += length + (folders[length] == ':');
	}
	return false;
}

// Looks for a library as the dynamic loader does by default: first in the run path of the file,
// then in the usual folders.
static void add_needed(struct frec_declarations *declarations, const char *run_path,
		       const char *name, const struct frec_file *origin)
{
	if (origin->depth && declarations->files < FILES_MAX &&
	    !add_library(declarations, run_path, name, origin))
		add_library(declarations, FREC_LIBRARY_FOLDERS, name, origin);
}

struct sites {
	size_t count;
	struct frec_site *site;
};

// Appends the site that a finding describes to `sites`, unless the finding is malformed. Returns 0
// or -ENOMEM.
static int add_site(struct frec_declarations *declarations, struct frec_bytes *finding,
		    struct sites *sites)
{
	struct frec_site site = {.offset = frec__bytes_u64(finding),
				 .enable = frec__bytes_u64(finding)};
	ssize_t n = finding->failed
			    ? 0
			    : frec__declaration_read(declarations, finding->at,
						     frec__bytes_left(finding), &site.event);

	if (n == -ENOMEM)
		return -ENOMEM;
	if (n <= 0 || site.event == SIZE_MAX || sites->count == SITES_MAX)
		return 0;
	if (!frec__grow(&sites->site, sites->count, sizeof(*sites->site)))
		return -ENOMEM;
	sites->site[sites->count++] = site;
	return 0;
}

// Adds what the child found in a file. The findings are as hostile as the file.
static void add_findings(void *context, struct frec_file *file)
{
	struct frec_declarations *declarations = context;
	struct frec_bytes bytes = frec__bytes(file->finding, file->size), finding;
	enum frec_finding_kind kind;
	struct sites sites = {0};
	const char *run_path = "", *text;
	size_t index;
	int r = 0;

	while (!r && frec__file_finding_next(&bytes, &kind, &finding)) {
		switch (kind) {
		case FREC_FINDING_DECLARATION:
			if (frec__declaration_read(declarations, finding.at,
						   frec__bytes_left(&finding), &index) == -ENOMEM)
				r = -ENOMEM;
			break;
		case FREC_FINDING_SITE:
			r = add_site(declarations, &finding, &sites);
			break;
		case FREC_FINDING_RUN_PATH:
		case FREC_FINDING_NEEDED:
			text = frec__bytes_text(&finding);
			if (text && kind == FREC_FINDING_RUN_PATH)
				run_path = text;
			else if (text)
				add_needed(declarations, run_path, text, file);
			break;
		case FREC_FINDING_PROBE:
		case FREC_FINDING_OTHER_MACHINE:
		case FREC_FINDING_END:
			break;
		}
	}
	if (sites.count && declarations->found_sites)
		declarations->found_sites(declarations->context, file->fd, sites.site, sites.count);
	free(sites.site);
	declarations->out_of_memory |= r == -ENOMEM;
}

static struct frec_file_reader *reader_of(struct frec_declarations *declarations)
{
	if (!declarations->reader) {
		declarations->reader = malloc(sizeof(*declarations->reader));
		if (!declarations->reader)
			return NULL;
		frec__file_reader_init(declarations->reader);
		declarations->reader->done = add_findings;
		declarations->reader->context = declarations;
	}
	return declarations->reader;
}

// Takes ownership of `fd`, which may be a negative errno. `named` means that the recorder's user
// named this file, or one that needs it.
static int add_open(struct frec_declarations *declarations, int fd, const char *path,
		    unsigned int depth, bool named)
{
	struct frec_file file = {.fd = fd, .kinds = FREC_LOOK_DECLARATIONS, .depth = depth};
	struct frec_file_reader *reader;
	struct stat status;

	if (fd < 0)
		return fd;
	reader = reader_of(declarations);
	if (!reader || fstat(fd, &status) || !S_ISREG(status.st_mode) ||
	    seen_before(declarations, &status)) {
		close(fd);
		return reader ? 0 : -ENOMEM;
	}
	file.path = strdup(path);
	if (!file.path) {
		close(fd);
		return -ENOMEM;
	}
	if (depth)
		file.kinds |= FREC_LOOK_NEEDED;
	if (declarations->found_sites)
		file.kinds |= FREC_LOOK_SITES;
	file.uid = status.st_uid;
	file.trusted = named || frec__file_is_trusted(&status);
	// frec__file_reader_add() reports a file that cannot be read, or counts it. Such a file
	// declares nothing.
	(void)frec__file_reader_add(reader, &file);
	return declarations->out_of_memory ? -ENOMEM : 0;
}

int frec__declarations_add_file(struct frec_declarations *declarations, const char *path,
				bool needed)
{
	declarations->out_of_memory = false;
	return add_open(declarations, frec__open_regular(path), path, needed ? NEEDED_DEPTH : 0,
			true);
}

int frec__declarations_add_mapping(struct frec_declarations *declarations, uint32_t pid,
				   uint64_t start, uint64_t end, const char *path)
{
	declarations->out_of_memory = false;
	return add_open(declarations, frec__open_mapped(pid, start, end, path), path, 0, false);
}

int frec__declarations_add_process(struct frec_declarations *declarations, pid_t pid)
{
	char path[64], last[PATH_MAX] = "";
	FREC_FREE char *maps = NULL;
	char *save = NULL;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = frec__read_file_at(AT_FDCWD, path, 4 << 20);
	if (!maps)
		return -errno;
	for (char *line = strtok_r(maps, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *file = strchr(line, '/');
		unsigned long long start, end;

		if (!file || !strcmp(file, last) || sscanf(line, "%llx-%llx", &start, &end) != 2)
			continue;
		snprintf(last, sizeof(last), "%s", file);
		if (frec__declarations_add_mapping(declarations, (uint32_t)pid, start, end, file) ==
		    -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

int frec__declarations_add_machine(struct frec_declarations *declarations)
{
	FREC_CLOSEDIR DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    frec__declarations_add_process(
			    declarations, (pid_t)strtol(entry->d_name, NULL, 10)) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

void frec__declarations_work(struct frec_declarations *declarations)
{
	if (declarations->reader)
		frec__file_reader_work(declarations->reader);
}

int frec__declarations_poll(const struct frec_declarations *declarations, int *milliseconds)
{
	return declarations->reader ? frec__file_reader_poll(declarations->reader, milliseconds)
				    : -1;
}

void frec__declarations_finish(struct frec_declarations *declarations)
{
	if (declarations->reader)
		frec__file_reader_finish(declarations->reader);
}
