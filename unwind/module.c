// SPDX-License-Identifier: MIT
// Modules: finding their files, and opening their CFI sections.
#include "unwind/module.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/auxv.h>

#include "proto/cleanup.h"
#include "proto/grow.h"

#include "unwind/files.h"
#include "unwind/names.h"

// A CFI section of a file.
struct cfi_place {
	Elf_Data *data;
	uint64_t address;
	Elf_Data *header; // .eh_frame_hdr, or NULL
	uint64_t header_address;
};

static void open_cfi(struct frec_module *module, struct frec_cfi_section *section,
		     const struct frec_elf *elf, const struct cfi_place *place)
{
	struct frec_cfi *cfi = &section->cfi;
	const char *ident = elf_getident(elf->elf, NULL);
	GElf_Shdr text;

	if (!ident)
		return;
	cfi->data = place->data;
	memcpy(cfi->ident, ident, EI_NIDENT);
	cfi->address = place->address;
	cfi->base = place->header_address;
	cfi->eh_frame = section == &module->eh_frame;
	cfi->module = module->path;
	if (frec__elf_section(elf, ".text", &text))
		cfi->text = text.sh_addr;
	frec__rows_create(cfi, place->header, elf->base, module->unwinder->machine, &section->rows,
			  module->error.code ? NULL : &module->error);
}

// For a file without section headers: finds .eh_frame_hdr by its program header, and .eh_frame by a
// pointer in .eh_frame_hdr.
static bool find_eh_frame(const struct frec_elf *elf, struct cfi_place *ret)
{
	const uint64_t pointer = 4; // offset of the field with its distance to .eh_frame
	size_t count = 0;
	int32_t distance;

	if (elf_getphdrnum(elf->elf, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;
		Elf_Data *header;

		if (!gelf_getphdr(elf->elf, (int)i, &segment) || segment.p_type != PT_GNU_EH_FRAME)
			continue;
		header = frec__elf_at(elf, segment.p_vaddr, segment.p_memsz);
		if (!header || header->d_size < pointer + sizeof(distance))
			return false;
		// Linkers write the encoding 0x1b: the distance is signed and has 32 bits.
		if (((const uint8_t *)header->d_buf)[1] != 0x1b)
			return false;
		memcpy(&distance, (const char *)header->d_buf + pointer, sizeof(distance));
		ret->header = header;
		ret->header_address = segment.p_vaddr;
		ret->address = segment.p_vaddr + pointer + (uint64_t)(int64_t)distance;
		ret->data = frec__elf_at(elf, ret->address, UINT64_MAX);
		return ret->data;
	}
	return false;
}

static void open_eh_frame(struct frec_module *module)
{
	struct cfi_place place = {0};
	GElf_Shdr section;

	place.data = frec__elf_section(module->elf, ".eh_frame", &section);
	if (place.data) {
		place.address = section.sh_addr;
		place.header = frec__elf_section(module->elf, ".eh_frame_hdr", &section);
		if (place.header)
			place.header_address = section.sh_addr;
	} else if (!find_eh_frame(module->elf, &place)) {
		return;
	}
	open_cfi(module, &module->eh_frame, module->elf, &place);
}

// Opens .debug_frame. It is used only for addresses that .eh_frame does not describe, because it
// can be in the separate debug file, which is large.
static struct frec_rows *debug_frame(struct frec_module *module)
{
	struct frec_elf *elf = module->elf;
	struct cfi_place place = {0};
	GElf_Shdr section;

	if (module->debug_frame_sought)
		return module->debug_frame.rows;
	module->debug_frame_sought = true;
	if (elf)
		place.data = frec__elf_section(elf, ".debug_frame", &section);
	if (!place.data) {
		elf = frec__module_debug(module);
		if (elf)
			place.data = frec__elf_section(elf, ".debug_frame", &section);
	}
	if (place.data) {
		place.address = section.sh_addr;
		open_cfi(module, &module->debug_frame, elf, &place);
	}
	return module->debug_frame.rows;
}

// The vDSO has no file, but there is an image of it in this process. It is the right image if it
// has the recorded build-id or, if no build-id was recorded, if the recording is from the current
// boot.
static void open_vdso(struct frec_module *module)
{
	const void *image = (const void *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);
	const struct frec_unwinder *unwinder = module->unwinder;
	FREC_CLOSE_ELF struct frec_elf *elf = NULL;
	const Elf64_Ehdr *header = image;

	// The section headers are the last part of the image, so it ends where they end.
	if (!image ||
	    frec__elf_open_memory(image,
				  header->e_shoff + (size_t)header->e_shnum * header->e_shentsize,
				  module->path, &elf, &module->error))
		return;
	if (elf->machine == unwinder->machine->elf_machine &&
	    (module->build_id.size ? frec__build_id_equal(&elf->build_id, &module->build_id)
				   : unwinder->options.same_boot)) {
		module->elf = FREC_TAKE_PTR(elf);
		module->verified = true;
		return;
	}
	frec__error(&module->error, -ESTALE, "%s: that of another kernel", module->path);
}

// Returns where `module_indices` has the index of this module plus 1, or 0 if the module is new:
// then the caller sets it. Returns NULL if memory runs out.
static uint32_t *find_module(struct frec_unwinder *unwinder, const struct frec_unwind_map *map,
			     const struct frec_build_id *build_id)
{
	// Different files may have been at one path.
	const char *place = map->file ? map->file : map->path;
	const uint8_t *bytes = build_id->size ? build_id->bytes : (const uint8_t *)place;
	size_t size = build_id->size ? build_id->size : strlen(place);
	uint64_t key = build_id->size;

	for (size_t i = 0; i < size; i++)
		key = frec__table_mix(key, bytes[i]);
	for (;; key++) {
		uint32_t *index = frec__table_put(&unwinder->module_indices, key, NULL);
		const struct frec_module *module;

		if (!index || !*index)
			return index;
		module = unwinder->modules[*index - 1];
		if (build_id->size
			    ? frec__build_id_equal(&module->build_id, build_id)
			    : !module->build_id.size &&
				      !strcmp(module->file ? module->file : module->path, place))
			return index;
	}
}

struct frec_module *frec__module_get(struct frec_unwinder *unwinder,
				     const struct frec_unwind_map *map)
{
	struct frec_build_id build_id = {.size = 0};
	struct frec_module *module;
	uint32_t *index;

	if (map->build_id_size && map->build_id_size <= FREC_BUILD_ID_MAX) {
		build_id.size = map->build_id_size;
		memcpy(build_id.bytes, map->build_id, map->build_id_size);
	}
	index = find_module(unwinder, map, &build_id);
	if (!index)
		return NULL;
	if (*index)
		return unwinder->modules[*index - 1];
	if (!frec__grow(&unwinder->modules, unwinder->module_count, sizeof(module)))
		return NULL;
	module = calloc(1, sizeof(*module));
	if (!module)
		return NULL;
	module->path = strdup(map->path);
	module->file = map->file ? strdup(map->file) : NULL;
	if (!module->path || (map->file && !module->file)) {
		frec__module_destroy(module);
		return NULL;
	}
	module->unwinder = unwinder;
	module->build_id = build_id;
	if (!strcmp(map->path, "[vdso]")) {
		open_vdso(module);
	} else {
		module->elf =
			frec__files_main(unwinder, map, &build_id, &module->lost, &module->error);
		module->verified = build_id.size != 0;
	}
	if (module->elf) {
		module->error.code = 0;
		open_eh_frame(module);
	}
	unwinder->modules[unwinder->module_count++] = module;
	*index = (uint32_t)unwinder->module_count;
	return module;
}

void frec__module_destroy(struct frec_module *module)
{
	if (!module)
		return;
	frec__names_destroy(module->names);
	frec__rows_destroy(module->eh_frame.rows);
	frec__rows_destroy(module->debug_frame.rows);
	frec__elf_close(module->debug);
	frec__elf_close(module->elf);
	free(module->path);
	free(module->file);
	free(module);
}

struct frec_elf *frec__module_debug(struct frec_module *module)
{
	const struct frec_build_id *build_id =
		module->build_id.size || !module->elf ? &module->build_id : &module->elf->build_id;

	if (!module->debug_sought) {
		module->debug_sought = true;
		module->debug =
			frec__files_debug(module->unwinder, module->path, module->elf, build_id);
	}
	return module->debug;
}

int frec__module_row(struct frec_module *module, uint64_t address, struct frec_row *ret,
		     struct frec_error *reterr)
{
	struct frec_rows *rows = module->eh_frame.rows;
	int r = 0;

	*ret = (struct frec_row){.kind = FREC_ROW_NONE};
	if (rows)
		r = frec__rows_find(rows, address, ret, reterr);
	if (r || ret->kind != FREC_ROW_NONE)
		return r;
	rows = debug_frame(module);
	return rows ? frec__rows_find(rows, address, ret, reterr) : 0;
}

int frec__module_rules(struct frec_module *module, uint64_t address, struct frec_rules *ret_rules,
		       struct frec_fde *ret_fde, struct frec_error *reterr)
{
	int r = -ENOENT;

	if (module->eh_frame.rows)
		r = frec__rows_rules(module->eh_frame.rows, address, ret_rules, ret_fde, reterr);
	if (r == -ENOENT && debug_frame(module))
		r = frec__rows_rules(module->debug_frame.rows, address, ret_rules, ret_fde, reterr);
	return r;
}
