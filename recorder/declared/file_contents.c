// SPDX-License-Identifier: MIT
// Reads ELF files with libelf, in the child of file_reader.c. Errors in a file end the reading of
// that file; the child itself may crash, run out of memory, or be killed because it takes too long.
#include "recorder/declared/file_contents.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "recorder/declared/elf_probes.h"
#include "recorder/declared/elf_sites.h"
#include "recorder/worker/worker.h"

#define DECLARATIONS "frec_declarations"
// The most bytes of one section, and of all sections of a file that declare events together.
#define SECTION_SIZE_MAX (16u << 20)
// The most sections of a file. Even a program compiled with -ffunction-sections has fewer after
// linking. libelf allocates memory for each section before anybody looks at it.
#define SECTIONS_MAX 65536
#define TEXT_MAX 4096

struct reading {
	int socket, fd;
	Elf *elf;
	uint64_t declared; /* bytes of the sections that declare events */
};

#define PARTS_MAX 3

static int report_parts(const struct reading *reading, enum frec_finding_kind kind,
			const struct iovec *parts, size_t count)
{
	struct iovec all[1 + PARTS_MAX];
	struct frec_finding finding = {.kind = kind};
	size_t size = 0;

	for (size_t i = 0; i < count; i++) {
		all[1 + i] = parts[i];
		size += parts[i].iov_len;
	}
	if (size > FREC_FINDING_MAX - sizeof(finding))
		return -E2BIG;
	finding.size = (uint32_t)size;
	all[0] = (struct iovec){&finding, sizeof(finding)};
	return frec__worker_send(reading->socket, all, 1 + (unsigned int)count, -1);
}

static int report(const struct reading *reading, enum frec_finding_kind kind, const void *first,
		  size_t first_size, const void *second, size_t second_size)
{
	const struct iovec parts[] = {{(void *)(uintptr_t)first, first_size},
				      {(void *)(uintptr_t)second, second_size}};

	return report_parts(reading, kind, parts, 2);
}

// Reports each entry of the section. Entries start at multiples of 8 bytes, and a linker may leave
// zeroes between them.
static int report_declarations(const struct reading *reading, const uint8_t *data, size_t size)
{
	uint32_t head[2]; // the start of every entry: magic and size
	int r = 0;

	for (size_t at = 0; size - at >= sizeof(head) && !r;) {
		memcpy(head, data + at, sizeof(head));
		if (!head[0] && !head[1]) {
			at += sizeof(head);
			continue;
		}
		if (head[1] < sizeof(head) || head[1] % 8 || head[1] > size - at)
			return 0;
		r = report(reading, FREC_FINDING_DECLARATION, data + at, head[1], NULL, 0);
		at += head[1];
	}
	return r;
}

static int report_site(void *context, uint64_t offset, uint64_t enable, const uint8_t *declaration,
		       uint32_t size)
{
	const uint64_t place[2] = {offset, enable};

	return report(context, FREC_FINDING_SITE, place, sizeof(place), declaration, size);
}

static int report_text(const struct reading *reading, enum frec_finding_kind kind, const char *text)
{
	size_t length = strnlen(text, TEXT_MAX);

	return length < TEXT_MAX ? report(reading, kind, text, length + 1, NULL, 0) : 0;
}

// Reports the run path first, because the names of the libraries are looked up in it.
static int report_needed(const struct reading *reading, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Dyn entry;
	int r = 0;

	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0;
		     data && !r && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
			bool run_path = entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH;
			const char *text = NULL;

			if (pass ? entry.d_tag == DT_NEEDED : run_path)
				text = elf_strptr(reading->elf, header->sh_link, entry.d_un.d_val);
			if (text)
				r = report_text(reading,
						run_path ? FREC_FINDING_RUN_PATH
							 : FREC_FINDING_NEEDED,
						text);
		}
	}
	return r;
}

static int report_probe(void *context, const struct frec_probe_site *site,
			const struct frec_usdt_place *places, const char *names, size_t size)
{
	const struct iovec parts[] = {{(void *)(uintptr_t)site, sizeof(*site)},
				      {(void *)(uintptr_t)places, site->places * sizeof(*places)},
				      {(void *)(uintptr_t)names, size}};

	return report_parts(context, FREC_FINDING_PROBE, parts, 3);
}

static int report_probes(const struct reading *reading)
{
	uint32_t bits = 0;
	int r = frec__elf_probes(reading->elf, report_probe, (void *)(uintptr_t)reading, &bits);

	return r || !bits
		       ? r
		       : report(reading, FREC_FINDING_OTHER_MACHINE, &bits, sizeof(bits), NULL, 0);
}

static int report_section(struct reading *reading, uint32_t kinds, size_t names, Elf_Scn *section)
{
	GElf_Shdr header;
	const char *name;
	Elf_Data *data;

	if (!gelf_getshdr(section, &header) || header.sh_size > SECTION_SIZE_MAX)
		return 0;
	if (kinds & FREC_LOOK_NEEDED && header.sh_type == SHT_DYNAMIC)
		return report_needed(reading, section, &header);
	if (!(kinds & FREC_LOOK_DECLARATIONS) || header.sh_type != SHT_PROGBITS)
		return 0;
	name = elf_strptr(reading->elf, names, header.sh_name);
	if (!name || strcmp(name, DECLARATIONS))
		return 0;
	reading->declared += header.sh_size;
	if (reading->declared > SECTION_SIZE_MAX)
		return -E2BIG;
	data = elf_getdata(section, NULL);
	return data && data->d_buf ? report_declarations(reading, data->d_buf, data->d_size) : 0;
}

static int report_sections(struct reading *reading, uint32_t kinds)
{
	Elf_Scn *section = NULL;
	GElf_Shdr strings;
	size_t names;
	int r = 0;

	if (elf_getshdrstrndx(reading->elf, &names) ||
	    !gelf_getshdr(elf_getscn(reading->elf, names), &strings) ||
	    strings.sh_size > SECTION_SIZE_MAX)
		return 0;
	while (!r && (section = elf_nextscn(reading->elf, section)))
		r = report_section(reading, kinds, names, section);
	return r;
}

// Returns the number of sections that the file claims to have. It is in the header, or, if it is
// too large for that, in the first section header.
static uint64_t claimed_sections(int fd)
{
	Elf64_Ehdr header;
	Elf64_Shdr first;

	if (pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_ident[EI_CLASS] != ELFCLASS64)
		// Not ELF, or 32-bit ELF, for which libelf itself refuses more sections than the
		// file can hold.
		return 0;
	if (header.e_shnum || !header.e_shoff)
		return header.e_shnum;
	return pread(fd, &first, sizeof(first), (off_t)header.e_shoff) == sizeof(first)
		       ? first.sh_size
		       : 0;
}

static int read_file(struct reading *reading, uint32_t kinds)
{
	int r = 0;

	if (claimed_sections(reading->fd) > SECTIONS_MAX)
		return -E2BIG;
	elf_version(EV_CURRENT);
	reading->elf = elf_begin(reading->fd, ELF_C_READ, NULL);
	if (!reading->elf || elf_kind(reading->elf) != ELF_K_ELF) {
		elf_end(reading->elf);
		return 0;
	}
	if (kinds & (FREC_LOOK_DECLARATIONS | FREC_LOOK_NEEDED))
		r = report_sections(reading, kinds);
	if (!r && kinds & FREC_LOOK_SITES)
		r = frec__elf_sites(reading->elf, reading->fd, report_site, reading);
	if (!r && kinds & FREC_LOOK_PROBES)
		r = report_probes(reading);
	elf_end(reading->elf);
	return r;
}

static void limit_time(uint32_t milliseconds)
{
	const struct itimerval limit = {
		.it_value = {.tv_sec = milliseconds / 1000,
			     .tv_usec = (suseconds_t)(milliseconds % 1000) * 1000}};

	setitimer(ITIMER_PROF, &limit, NULL);
}

void frec__file_contents_serve(void *context, int socket)
{
	struct frec_question question;
	int fd;

	(void)context;
	while (frec__worker_receive(socket, &question, sizeof(question), &fd, 0) ==
		       sizeof(question) &&
	       fd >= 0) {
		struct reading reading = {.socket = socket, .fd = fd};
		uint32_t incomplete;

		limit_time(question.milliseconds);
		incomplete = read_file(&reading, question.kinds) != 0;
		limit_time(0);
		close(fd);
		if (report(&reading, FREC_FINDING_END, &incomplete, sizeof(incomplete), NULL, 0))
			return;
	}
}
