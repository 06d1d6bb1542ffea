// SPDX-License-Identifier: MIT
// Reads the entries of a CFI section, which libdw finds, and the encoded addresses in these
// entries.
#include "unwind/cfi.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <inttypes.h>

#include "proto/bytes.h"

// Limits on the bytes of instructions, hundreds of times more than compilers write. Those of a CIE
// (INITIAL_MAX) run again for each function that refers to it, and those of an FDE (PROGRAM_MAX)
// each time that the function's rules are needed.
#define INITIAL_MAX 4096
#define PROGRAM_MAX (256 << 10)

static const char *section_name(const struct frec_cfi *cfi)
{
	return cfi->eh_frame ? ".eh_frame" : ".debug_frame";
}

static int damaged(const struct frec_cfi *cfi, uint64_t offset, struct frec_error *reterr,
		   const char *what)
{
	return frec__error(reterr, -EBADMSG, "%s: %s at offset 0x%" PRIx64 ": %s", cfi->module,
			   section_name(cfi), offset, what);
}

uint64_t frec__cfi_address(const struct frec_cfi *cfi, struct frec_bytes *cursor, uint8_t encoding)
{
	uint64_t place = (uint64_t)(cursor->at - (const uint8_t *)cfi->data->d_buf);
	uint64_t value;

	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		value = frec__bytes_number(cursor, 8);
		break;
	case DW_EH_PE_uleb128:
		value = frec__bytes_uleb(cursor);
		break;
	case DW_EH_PE_sleb128:
		value = (uint64_t)frec__bytes_sleb(cursor);
		break;
	case DW_EH_PE_udata2:
		value = frec__bytes_number(cursor, 2);
		break;
	case DW_EH_PE_sdata2:
		value = (uint64_t)frec__bytes_signed(cursor, 2);
		break;
	case DW_EH_PE_udata4:
		value = frec__bytes_number(cursor, 4);
		break;
	case DW_EH_PE_sdata4:
		value = (uint64_t)frec__bytes_signed(cursor, 4);
		break;
	default:
		frec__bytes_fail(cursor);
		return 0;
	}
	switch (encoding & 0x70) {
	case DW_EH_PE_absptr:
		return value;
	case DW_EH_PE_pcrel:
		return value + cfi->address + place;
	case DW_EH_PE_textrel:
		return value + cfi->text;
	case DW_EH_PE_datarel:
		return value + cfi->base;
	default:
		frec__bytes_fail(cursor);
		return 0;
	}
}

// Reads what a CIE's augmentation string and augmentation data say about its FDEs.
static bool read_augmentation(const struct frec_cfi *cfi, const Dwarf_CIE *cie,
			      struct frec_fde *fde)
{
	struct frec_bytes data = frec__bytes(cie->augmentation_data, cie->augmentation_data_size);
	const char *letter = cie->augmentation;

	if (*letter && *letter != 'z')
		return false; // an unknown augmentation can put data before the instructions
	while (*letter && *++letter) {
		switch (*letter) {
		case 'R':
			fde->encoding = (uint8_t)frec__bytes_number(&data, 1);
			break;
		case 'P':
			frec__cfi_address(cfi, &data, (uint8_t)frec__bytes_number(&data, 1) & 0x0f);
			break;
		case 'L':
			frec__bytes_number(&data, 1);
			break;
		case 'S':
			fde->signal_frame = true;
			break;
		case 'B': // aarch64: return addresses are signed with key B instead of key A
			break;
		default:
			return !data.failed; // 'z' gives the size of the data, so skip the rest
		}
	}
	return !data.failed;
}

int frec__cfi_read(const struct frec_cfi *cfi, uint64_t offset, uint64_t *ret_next,
		   struct frec_fde *ret, struct frec_error *reterr)
{
	struct frec_fde fde = {.offset = offset};
	struct frec_bytes cursor;
	Dwarf_CFI_Entry entry, cie;
	Dwarf_Off next, ignored;
	int r;

	if (offset >= cfi->data->d_size)
		return -ENODATA;
	r = dwarf_next_cfi(cfi->ident, cfi->data, cfi->eh_frame, offset, &next, &entry);
	if (r > 0 || (!r && next <= offset))
		return -ENODATA;
	if (r < 0)
		return damaged(cfi, offset, reterr, "no entry that can be read");
	if (ret_next)
		*ret_next = next;
	if (dwarf_cfi_cie_p(&entry))
		return 0;
	if (dwarf_next_cfi(cfi->ident, cfi->data, cfi->eh_frame, entry.fde.CIE_pointer, &ignored,
			   &cie) ||
	    !dwarf_cfi_cie_p(&cie))
		return damaged(cfi, offset, reterr, "no CIE where it should be");
	fde.initial = cie.cie.initial_instructions;
	fde.initial_end = cie.cie.initial_instructions_end;
	fde.code_factor = cie.cie.code_alignment_factor;
	fde.data_factor = cie.cie.data_alignment_factor;
	fde.return_register = cie.cie.return_address_register;
	if (!read_augmentation(cfi, &cie.cie, &fde))
		return damaged(cfi, offset, reterr, "unknown augmentation");
	cursor = frec__bytes(entry.fde.start, (size_t)(entry.fde.end - entry.fde.start));
	if (fde.encoding & DW_EH_PE_indirect || fde.encoding == DW_EH_PE_omit)
		return damaged(cfi, offset, reterr, "unknown encoding of addresses");
	fde.start = frec__cfi_address(cfi, &cursor, fde.encoding);
	fde.end = frec__cfi_address(cfi, &cursor, fde.encoding & 0x0f);
	if (*cie.cie.augmentation == 'z')
		frec__bytes_take(&cursor, frec__bytes_uleb(&cursor));
	if (cursor.failed || __builtin_add_overflow(fde.start, fde.end, &fde.end))
		return damaged(cfi, offset, reterr, "it ends too early");
	if (fde.initial_end - fde.initial > INITIAL_MAX || cursor.end - cursor.at > PROGRAM_MAX)
		return damaged(cfi, offset, reterr, "too many instructions");
	fde.program = cursor.at;
	fde.program_end = cursor.end;
	*ret = fde;
	return 1;
}
