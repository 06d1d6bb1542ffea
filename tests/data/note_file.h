/* SPDX-License-Identifier: MIT */
/* An ELF file, intact but for what is in it: a section of notes in which USDT probes are
 * described. */
#ifndef FREC_TESTS_DATA_NOTE_FILE_H
#define FREC_TESTS_DATA_NOTE_FILE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Returns a descriptor of a file in memory with `size` bytes of notes, or -1. Its table of sections
 * says that there are `claimed` bytes of them. Its segment is what is before them. */
static inline int make_note_file(uint16_t machine, const void *notes, size_t size, uint64_t claimed)
{
	static const char names[] = "\0.note.stapsdt\0.shstrtab";
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segment;
		Elf64_Shdr section[3];
		char names[sizeof(names)];
	} file = {
		.header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				       EV_CURRENT},
			   .e_type = ET_DYN,
			   .e_machine = machine,
			   .e_version = EV_CURRENT,
			   .e_phoff = sizeof(Elf64_Ehdr),
			   .e_shoff = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr),
			   .e_ehsize = sizeof(Elf64_Ehdr),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 1,
			   .e_shentsize = sizeof(Elf64_Shdr),
			   .e_shnum = 3,
			   .e_shstrndx = 2},
		.segment = {.p_type = PT_LOAD,
			    .p_flags = PF_R | PF_X,
			    .p_filesz = sizeof(file),
			    .p_memsz = sizeof(file)},
		.section = {{0},
			    {.sh_name = 1,
			     .sh_type = SHT_NOTE,
			     .sh_offset = sizeof(file),
			     .sh_size = claimed,
			     .sh_addralign = 4},
			    {.sh_name = 15,
			     .sh_type = SHT_STRTAB,
			     .sh_offset = sizeof(file.header) + sizeof(file.segment) +
					  sizeof(file.section),
			     .sh_size = sizeof(names)}},
	};
	int fd = memfd_create("notes", MFD_CLOEXEC);

	memcpy(file.names, names, sizeof(names));
	if (write(fd, &file, sizeof(file)) == sizeof(file) &&
	    write(fd, notes, size) == (ssize_t)size)
		return fd;
	close(fd);
	return -1;
}

#endif
