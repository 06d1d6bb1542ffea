// SPDX-License-Identifier: MIT
// Small ELF files with hand-made call frame information.
#include "tests/unwind/make_elf.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NO_SECTION, TEXT, CFI, SYMBOLS, STRINGS, NAMES, SECTIONS };

static const char section_names[] = "\0.text\0.eh_frame\0.symtab\0.strtab\0.shstrtab";

static void put(struct made_elf *elf, size_t offset, const void *bytes, size_t size)
{
	if (offset + size > sizeof(elf->bytes))
		abort();
	memcpy(elf->bytes + offset, bytes, size);
	if (offset + size > elf->size)
		elf->size = offset + size;
}

static uint32_t name_of(const char *name)
{
	for (uint32_t i = 1; i < sizeof(section_names);
	     i += (uint32_t)strlen(section_names + i) + 1) {
		if (!strcmp(section_names + i, name))
			return i;
	}
	abort();
}

static void add_symbols(struct made_elf *elf, const struct made_symbol *symbols, size_t count,
			Elf64_Shdr *sections)
{
	size_t table = MADE_CODE + MADE_CODE_SIZE, strings = table + 64 * sizeof(Elf64_Sym);
	size_t offset = 1;

	put(elf, table, &(Elf64_Sym){0}, sizeof(Elf64_Sym));
	put(elf, strings, "", 1);
	for (size_t i = 0; i < count; i++) {
		Elf64_Sym symbol = {.st_name = (uint32_t)offset,
				    .st_info = symbols[i].info,
				    .st_shndx = TEXT,
				    .st_value = symbols[i].start,
				    .st_size = symbols[i].size};

		put(elf, table + (i + 1) * sizeof(symbol), &symbol, sizeof(symbol));
		put(elf, strings + offset, symbols[i].name, strlen(symbols[i].name) + 1);
		offset += strlen(symbols[i].name) + 1;
	}
	sections[SYMBOLS] = (Elf64_Shdr){.sh_name = name_of(".symtab"),
					 .sh_type = SHT_SYMTAB,
					 .sh_offset = table,
					 .sh_size = (count + 1) * sizeof(Elf64_Sym),
					 .sh_link = STRINGS,
					 .sh_entsize = sizeof(Elf64_Sym),
					 .sh_info = 1};
	sections[STRINGS] = (Elf64_Shdr){.sh_name = name_of(".strtab"),
					 .sh_type = SHT_STRTAB,
					 .sh_offset = strings,
					 .sh_size = offset};
}

void make_elf(struct made_elf *elf, unsigned int machine, const uint8_t *cfi, size_t cfi_size,
	      const struct made_symbol *symbols, size_t symbol_count)
{
	Elf64_Shdr sections[SECTIONS] = {0};
	Elf64_Phdr segment = {.p_type = PT_LOAD,
			      .p_flags = PF_R | PF_X,
			      .p_filesz = MADE_CODE + MADE_CODE_SIZE,
			      .p_memsz = MADE_CODE + MADE_CODE_SIZE,
			      .p_align = 4096};
	Elf64_Ehdr header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					 ELFDATA2LSB, EV_CURRENT},
			     .e_type = ET_DYN,
			     .e_entry = MADE_CODE + 0x900,
			     .e_machine = (uint16_t)machine,
			     .e_version = EV_CURRENT,
			     .e_phoff = sizeof(header),
			     .e_ehsize = sizeof(header),
			     .e_phentsize = sizeof(segment),
			     .e_phnum = 1,
			     .e_shentsize = sizeof(sections[0]),
			     .e_shnum = SECTIONS,
			     .e_shstrndx = NAMES};

	*elf = (struct made_elf){0};
	if (cfi_size > MADE_CODE - MADE_CFI)
		abort();
	sections[TEXT] = (Elf64_Shdr){.sh_name = name_of(".text"),
				      .sh_type = SHT_PROGBITS,
				      .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
				      .sh_addr = MADE_CODE,
				      .sh_offset = MADE_CODE,
				      .sh_size = MADE_CODE_SIZE};
	sections[CFI] = (Elf64_Shdr){.sh_name = name_of(".eh_frame"),
				     .sh_type = SHT_PROGBITS,
				     .sh_flags = SHF_ALLOC,
				     .sh_addr = MADE_CFI,
				     .sh_offset = MADE_CFI,
				     .sh_size = cfi_size};
	put(elf, MADE_CFI, cfi, cfi_size);
	add_symbols(elf, symbols, symbol_count, sections);
	header.e_shoff = (elf->size + 7) & ~7ul;
	sections[NAMES] = (Elf64_Shdr){.sh_name = name_of(".shstrtab"),
				       .sh_type = SHT_STRTAB,
				       .sh_offset = header.e_shoff + sizeof(sections),
				       .sh_size = sizeof(section_names)};
	put(elf, header.e_shoff, sections, sizeof(sections));
	put(elf, header.e_shoff + sizeof(sections), section_names, sizeof(section_names));
	put(elf, 0, &header, sizeof(header));
	put(elf, sizeof(header), &segment, sizeof(segment));
}

int write_elf(const struct made_elf *elf, char *path)
{
	int fd;
	bool good;

	strcpy(path, "/tmp/made-elf-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		return -errno;
	good = write(fd, elf->bytes, elf->size) == (ssize_t)elf->size;
	close(fd);
	return good ? 0 : -EIO;
}

static void add(struct made_cfi *cfi, const void *bytes, size_t size)
{
	if (cfi->size + size > sizeof(cfi->bytes))
		abort();
	if (size)
		memcpy(cfi->bytes + cfi->size, bytes, size);
	cfi->size += size;
}

// Pads with DW_CFA_nop, which is 0, and writes the length.
static void finish(struct made_cfi *cfi, size_t start)
{
	uint32_t length;

	while ((cfi->size - start) % 8 != 4)
		add(cfi, "", 1);
	length = (uint32_t)(cfi->size - start - 4);
	memcpy(cfi->bytes + start, &length, sizeof(length));
}

size_t add_cie(struct made_cfi *cfi, unsigned int return_register, int signal,
	       const uint8_t *program, size_t size)
{
	size_t start = cfi->size;

	add(cfi, "\0\0\0\0\0\0\0\0\1", 9);
	add(cfi, signal ? "zRS" : "zR", signal ? 4 : 3);
	// code factor 1, data factor -8, return register, 1 byte of augmentation: pcrel, sdata4
	add(cfi, (uint8_t[]){1, 0x78, (uint8_t)return_register, 1, 0x1b}, 5);
	add(cfi, program, size);
	finish(cfi, start);
	return start;
}

void add_fde(struct made_cfi *cfi, size_t cie, uint64_t start, uint32_t length,
	     const uint8_t *program, size_t size)
{
	size_t begin = cfi->size;
	uint32_t back = (uint32_t)(begin + 4 - cie);
	int32_t relative = (int32_t)(start - (MADE_CFI + begin + 8));

	add(cfi, "\0\0\0\0", 4);
	add(cfi, &back, 4);
	add(cfi, &relative, 4);
	add(cfi, &length, 4);
	add(cfi, "", 1);
	add(cfi, program, size);
	finish(cfi, begin);
}

void end_cfi(struct made_cfi *cfi)
{
	add(cfi, "\0\0\0\0", 4);
}
