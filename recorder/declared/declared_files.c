// SPDX-License-Identifier: MIT
// Finds the files that declare events: a program and the libraries that it needs, or the files that
// one process or all processes have mapped. Reads them with libelf. The recorder may run as root
// and open files of any user here, so it opens only regular files, reads none twice, and limits the
// size of each section.
#include "recorder/declared/declared_files.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/grow.h"
#include "proto/read_file.h"
#include "recorder/declared/elf_notes.h"
#include "recorder/declared/program_files.h"
#include "recorder/declared/sites.h"

#define SECTION "frec_declarations"
#define FILES_MAX 16384
#define NEEDED_DEPTH 8
#define SECTION_SIZE_MAX (16u << 20)

static bool seen_before(struct frec_declarations *declarations, int fd)
{
	struct stat status;

	if (fstat(fd, &status) || !S_ISREG(status.st_mode))
		return true;
	for (size_t i = 0; i < declarations->files; i++) {
		if (declarations->file[i].inode == status.st_ino &&
		    declarations->file[i].device == status.st_dev &&
		    declarations->file[i].changed.tv_sec == status.st_ctim.tv_sec &&
		    declarations->file[i].changed.tv_nsec == status.st_ctim.tv_nsec)
			return true;
	}
	if (declarations->files == FILES_MAX)
		declarations->files = 0;
	if (frec__grow(&declarations->file, declarations->files, sizeof(*declarations->file)))
		declarations->file[declarations->files++] = (struct frec_declaration_file){
			.device = status.st_dev, .inode = status.st_ino, .changed = status.st_ctim};
	return false;
}

static const char *section_name(Elf *elf, Elf_Scn *section, GElf_Shdr *header)
{
	GElf_Shdr strings;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) || !gelf_getshdr(elf_getscn(elf, names), &strings) ||
	    strings.sh_size > SECTION_SIZE_MAX || !gelf_getshdr(section, header) ||
	    (header->sh_type != SHT_NOBITS && header->sh_size > SECTION_SIZE_MAX))
		return NULL;
	return elf_strptr(elf, names, header->sh_name);
}

static int add_path(struct frec_declarations *declarations, const char *path, unsigned int depth);

// Adds the library `name` from the first folder that has it. `folders` is a colon-separated list,
// in which $ORIGIN stands for the folder of `origin`, the file that needs the library. Returns
// whether the library was found.
static bool add_library(struct frec_declarations *declarations, const char *folders,
			const char *name, const char *origin, unsigned int depth)
{
	int origin_length = strrchr(origin, '/') ? (int)(strrchr(origin, '/') - origin) : 0;

	while (*folders) {
		int length = (int)strcspn(folders, ":");
		bool relative = !strncmp(folders, "$ORIGIN", strlen("$ORIGIN"));
		int skip = relative ? (int)strlen("$ORIGIN") : 0;
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%.*s%.*s/%s", relative ? origin_length : 0, origin,
			 length - skip, folders + skip, name);
		if (!add_path(declarations, path, depth))
			return true;
		folders += length + (folders[length] == ':');
	}
	return false;
}

// Adds the libraries that the file lists as DT_NEEDED. Looks for them as the dynamic loader does by
// default: first in the run path of the file, then in the usual folders.
static void add_needed(struct frec_declarations *declarations, Elf *elf, Elf_Scn *section,
		       const GElf_Shdr *header, const char *path, unsigned int depth)
{
	Elf_Data *data = elf_getdata(section, NULL);
	const char *run_path = "";
	GElf_Dyn entry;

	for (int i = 0; data && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
		const char *text = NULL;

		if (entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH)
			text = elf_strptr(elf, header->sh_link, entry.d_un.d_val);
		if (text)
			run_path = text;
	}
	for (int i = 0; data && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
		const char *name = entry.d_tag == DT_NEEDED
					   ? elf_strptr(elf, header->sh_link, entry.d_un.d_val)
					   : NULL;

		if (name && !add_library(declarations, run_path, name, path, depth))
			add_library(declarations, FREC_LIBRARY_FOLDERS, name, path, depth);
	}
}

static int add_path(struct frec_declarations *declarations, const char *path, unsigned int depth)
{
	FREC_CLOSE int fd = frec__open_regular(path);
	FREC_ELF_END Elf *elf = NULL;
	Elf_Scn *section = NULL;
	int r = 0;

	if (fd < 0)
		return fd;
	if (seen_before(declarations, fd))
		return 0;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	while (elf && !r && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name = section_name(elf, section, &header);
		Elf_Data *data;

		if (!name)
			continue;
		if (!strcmp(name, SECTION) && header.sh_type == SHT_PROGBITS) {
			data = elf_getdata(section, NULL);
			if (data && data->d_buf)
				r = frec__declarations_read(declarations, data->d_buf,
							    data->d_size);
		} else if (depth && header.sh_type == SHT_DYNAMIC) {
			add_needed(declarations, elf, section, &header, path, depth - 1);
		}
	}
	if (elf && !r && declarations->found_sites)
		r = frec__sites_read(declarations, elf, fd);
	return r;
}

int frec__declarations_add_file(struct frec_declarations *declarations, const char *path,
				bool needed)
{
	return add_path(declarations, path, needed ? NEEDED_DEPTH : 0);
}

int frec__declarations_add_mapping(struct frec_declarations *declarations, uint32_t pid,
				   const char *path)
{
	char within[PATH_MAX + 64];
	int r;

	snprintf(within, sizeof(within), "/proc/%u/root%s", pid, path);
	r = add_path(declarations, within, 0);
	return r == -ENOENT ? add_path(declarations, path, 0) : r;
}

int frec__declarations_add_process(struct frec_declarations *declarations, pid_t pid)
{
	char path[PATH_MAX + 64], last[PATH_MAX] = "";
	FREC_FREE char *maps = NULL;
	char *save = NULL;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = frec__read_file_at(AT_FDCWD, path, 4 << 20);
	if (!maps)
		return -errno;
	for (char *line = strtok_r(maps, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *file = strchr(line, '/');

		if (!file || !strcmp(file, last))
			continue;
		snprintf(last, sizeof(last), "%s", file);
		if (frec__declarations_add_mapping(declarations, (uint32_t)pid, file) == -ENOMEM)
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
