// SPDX-License-Identifier: MIT
// Unwinds recorded bytes with libunwind's remote unwinding: stack and registers come from the
// recording, and everything else, most of all CFI, from the mapped files. CFI is found as
// libunwind's ptrace helper does it: the unwind table of each module is given to
// dwarf_search_unwind_table, which libunwind exports for this.
#include "tests/unwind/others.h"

#include <fcntl.h>
#include <libunwind.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unwind/elf_file.h"

// Not declared in libunwind's headers, but debuggers and perf use it.
#define dwarf_search_unwind_table UNW_OBJ(dwarf_search_unwind_table)
int dwarf_search_unwind_table(unw_addr_space_t space, unw_word_t ip, unw_dyn_info_t *info,
			      unw_proc_info_t *proc, int need_unwind_info, void *argument);

struct image {
	uint64_t start, end, bias;
	struct frec_elf *elf;
	unw_dyn_info_t info;
	bool has_table;
	const uint8_t *bytes; /* the contents of the segment with the CFI */
	uint64_t bytes_start, bytes_size;
};

struct other {
	unw_addr_space_t space;
	const struct recorded_stack *stack;
	struct image *images;
	size_t image_count;
	size_t last, last_constants;
};

static struct image *find_image(struct other *other, uint64_t address)
{
	if (other->last < other->image_count && address >= other->images[other->last].start &&
	    address < other->images[other->last].end)
		return &other->images[other->last];
	for (size_t i = 0; i < other->image_count; i++) {
		if (address >= other->images[i].start && address < other->images[i].end) {
			other->last = i;
			return &other->images[i];
		}
	}
	return NULL;
}

static int find_proc_info(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t *info, int need,
			  void *argument)
{
	struct image *image = find_image(argument, ip);

	if (!image || !image->has_table)
		return -UNW_ENOINFO;
	return dwarf_search_unwind_table(space, ip, &image->info, info, need, argument);
}

static void put_unwind_info(unw_addr_space_t space, unw_proc_info_t *info, void *argument)
{
	(void)space;
	(void)info;
	(void)argument;
}

static int no_list(unw_addr_space_t space, unw_word_t *address, void *argument)
{
	(void)space;
	(void)address;
	(void)argument;
	return -UNW_ENOINFO;
}

// Returns the image whose segment with the CFI contains the 8 bytes at `address`, or NULL.
static const struct image *find_constants(struct other *other, uint64_t address)
{
	const struct image *image = &other->images[other->last_constants];

	if (address - image->bytes_start + 8 <= image->bytes_size)
		return image;
	for (size_t i = 0; i < other->image_count; i++) {
		image = &other->images[i];
		if (address - image->bytes_start + 8 <= image->bytes_size) {
			other->last_constants = i;
			return image;
		}
	}
	return NULL;
}

static int access_mem(unw_addr_space_t space, unw_word_t address, unw_word_t *value, int write,
		      void *argument)
{
	struct other *other = argument;
	const struct image *image;

	(void)space;
	if (write)
		return -UNW_EINVAL;
	if (frec__stack_read(&other->stack->stack, address, value))
		return 0;
	image = find_constants(other, address);
	if (!image)
		return -UNW_EINVAL;
	memcpy(value, image->bytes + (address - image->bytes_start), 8);
	return 0;
}

static int access_reg(unw_addr_space_t space, unw_regnum_t number, unw_word_t *value, int write,
		      void *argument)
{
	const struct other *other = argument;
	const struct frec_registers *machine = &frec__registers_x86_64;
	size_t index;

	(void)space;
	if (write || number < 0 || (unsigned int)number >= machine->dwarf_count)
		return -UNW_EBADREG;
	index = (size_t)__builtin_popcountll(other->stack->mask &
					     ((1ull << machine->dwarf[number]) - 1));
	*value = other->stack->values[index];
	return 0;
}

static int no_fpreg(unw_addr_space_t space, unw_regnum_t number, unw_fpreg_t *value, int write,
		    void *argument)
{
	(void)space;
	(void)number;
	(void)value;
	(void)write;
	(void)argument;
	return -UNW_EINVAL;
}

static int no_resume(unw_addr_space_t space, unw_cursor_t *cursor, void *argument)
{
	(void)space;
	(void)cursor;
	(void)argument;
	return -UNW_EINVAL;
}

static int no_name(unw_addr_space_t space, unw_word_t address, char *name, size_t size,
		   unw_word_t *offset, void *argument)
{
	(void)space;
	(void)address;
	(void)name;
	(void)size;
	(void)offset;
	(void)argument;
	return -UNW_ENOINFO;
}

static void open_image(struct image *image, const struct frec_unwind_map *map)
{
	GElf_Phdr segment;
	GElf_Shdr section;
	Elf_Data *header;
	uint32_t count;

	image->start = map->start;
	image->end = map->end;
	if (*map->path != '/' || frec__elf_open(map->path, &image->elf, NULL))
		return;
	if (!frec__elf_bias(image->elf, map->start, map->offset, &image->bias))
		return;
	header = frec__elf_section(image->elf, ".eh_frame_hdr", &section);
	if (!header || header->d_size < 12)
		return;
	memcpy(&count, (char *)header->d_buf + 8, 4);
	image->info = (unw_dyn_info_t){
		.start_ip = map->start,
		.end_ip = map->end,
		.format = UNW_INFO_FORMAT_REMOTE_TABLE,
		.u.rti = {.segbase = section.sh_addr + image->bias,
			  .table_data = section.sh_addr + image->bias + 12,
			  .table_len = count * 8ul / sizeof(unw_word_t)},
	};
	image->has_table = true;
	for (int i = 0; gelf_getphdr(image->elf->elf, i, &segment); i++) {
		Elf_Data *data;

		if (segment.p_type != PT_LOAD || section.sh_addr < segment.p_vaddr ||
		    section.sh_addr - segment.p_vaddr >= segment.p_filesz)
			continue;
		data = frec__elf_at(image->elf, segment.p_vaddr, UINT64_MAX);
		if (data) {
			image->bytes = data->d_buf;
			image->bytes_start = segment.p_vaddr + image->bias;
			image->bytes_size = data->d_size;
		}
		break;
	}
}

struct other *libunwind_other_create(const struct recording *recording)
{
	static unw_accessors_t accessors = {find_proc_info, put_unwind_info, no_list,	access_mem,
					    access_reg,	    no_fpreg,	     no_resume, no_name};
	struct other *other = calloc(1, sizeof(*other));

	other->images = calloc(recording->map_count, sizeof(*other->images));
	other->image_count = recording->map_count;
	for (size_t i = 0; i < recording->map_count; i++)
		open_image(&other->images[i], &recording->maps[i]);
	other->space = unw_create_addr_space(&accessors, 0);
	unw_set_caching_policy(other->space, UNW_CACHE_GLOBAL);
	return other;
}

size_t libunwind_other_unwind(struct other *other, const struct recorded_stack *stack,
			      uint64_t *frames, size_t capacity)
{
	unw_cursor_t cursor;
	size_t count = 0;
	unw_word_t ip;

	other->stack = stack;
	if (unw_init_remote(&cursor, other->space, other))
		return 0;
	do {
		if (unw_get_reg(&cursor, UNW_REG_IP, &ip) || !ip)
			break;
		frames[count++] = ip;
	} while (count < capacity && unw_step(&cursor) > 0);
	return count;
}

void libunwind_other_destroy(struct other *other)
{
	for (size_t i = 0; i < other->image_count; i++)
		frec__elf_close(other->images[i].elf);
	unw_destroy_addr_space(other->space);
	free(other->images);
	free(other);
}
