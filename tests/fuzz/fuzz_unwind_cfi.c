// SPDX-License-Identifier: MIT
// Fuzzes CFI sections: computing rows, and unwinding a frame with them, must end and stay within
// the bytes. The first byte of the input chooses the machine, the kind of section, and whether
// there is a linker's table. The second byte is the size of that table, which comes next; the rest
// is the section.
#include <stdlib.h>
#include <string.h>

#include "unwind/rows.h"
#include "unwind/step.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct frec_rows *rows, const struct frec_registers *machine, uint64_t pc)
{
	static const uint8_t bytes[512];
	const struct frec_stack stack = {0x7000, bytes, sizeof(bytes)};
	struct frec_cpu cpu = {.pc = pc, .known = UINT64_MAX};
	const struct frec_expression_context frame = {machine, &cpu, &stack, 0};
	struct frec_rules rules;
	struct frec_error error;
	struct frec_fde fde;
	struct frec_row row;
	uint64_t address;

	for (unsigned int i = 0; i < FREC_DWARF_REGISTERS; i++)
		cpu.value[i] = 0x7000 + 8 * i;
	frec__rows_find(rows, pc, &row, &error);
	if (!frec__rows_rules(rows, pc, &rules, &fde, &error))
		frec__step(&frame, &fde, &rules, &cpu, &address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct frec_registers *machine;
	Elf_Data section = {.d_type = ELF_T_BYTE, .d_version = EV_CURRENT}, header = section;
	struct frec_cfi cfi = {
		.data = &section,
		.address = 0x400,
		.base = 0x300,
		.module = "fuzz",
		.ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT}};
	struct frec_rows *rows;
	uint8_t *copy;

	if (size < 2)
		return 0;
	machine = data[0] & 1 ? &frec__registers_aarch64 : &frec__registers_x86_64;
	cfi.eh_frame = !(data[0] & 2);
	header.d_size = data[0] & 4 ? data[1] : 0;
	if (header.d_size > size - 2)
		return 0;
	// The section is a copy of exactly its size, so that the sanitizer detects a read beyond
	// it.
	header.d_buf = (void *)(uintptr_t)(data + 2);
	section.d_size = size - 2 - header.d_size;
	copy = malloc(section.d_size + !section.d_size);
	if (!copy)
		return 0;
	memcpy(copy, data + 2 + header.d_size, section.d_size);
	section.d_buf = copy;
	if (section.d_size &&
	    !frec__rows_create(&cfi, header.d_size ? &header : NULL, 0, machine, &rows, NULL)) {
		use(rows, machine, 0x1000);
		frec__rows_compile_all(rows);
		for (uint64_t pc = 0; pc < 0x2000; pc += 0x101)
			use(rows, machine, pc);
		frec__rows_destroy(rows);
	}
	free(copy);
	return 0;
}
