// SPDX-License-Identifier: MIT
// The symbol table, compressed with xz, that distributions put into stripped programs.
#include "unwind/debugdata.h"

#include <lzma.h>
#include <stdlib.h>

#include "proto/cleanup.h"

// Limits, because a few bytes of xz can expand to any number of zeroes. The largest images in
// Fedora have some megabytes.
#define IMAGE_MAX (64u << 20)
#define DECODER_MEMORY_MAX (128u << 20)

static uint8_t *decompress(const Elf_Data *data, size_t *ret_size)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	size_t room = 1 << 20;
	FREC_FREE uint8_t *image = malloc(room);
	lzma_ret r = LZMA_MEM_ERROR;

	if (image && lzma_stream_decoder(&stream, DECODER_MEMORY_MAX, 0) == LZMA_OK) {
		stream.next_in = data->d_buf;
		stream.avail_in = data->d_size;
		do {
			uint8_t *more;

			stream.next_out = image + stream.total_out;
			stream.avail_out = room - stream.total_out;
			r = lzma_code(&stream, LZMA_FINISH);
			if (r != LZMA_OK || stream.avail_out)
				break;
			room *= 2;
			more = room <= IMAGE_MAX ? realloc(image, room) : NULL;
			if (more)
				image = more;
			else
				r = LZMA_MEM_ERROR;
		} while (r == LZMA_OK);
	}
	*ret_size = stream.total_out;
	lzma_end(&stream);
	return r == LZMA_STREAM_END ? FREC_TAKE_PTR(image) : NULL;
}

struct frec_elf *frec__debugdata_open(const struct frec_elf *elf, uint8_t **ret_image)
{
	struct frec_elf *inside = NULL;
	GElf_Shdr header;
	Elf_Data *data = frec__elf_section(elf, ".gnu_debugdata", &header);
	size_t size;

	if (!data)
		return NULL;
	*ret_image = decompress(data, &size);
	if (*ret_image && frec__elf_open_memory(*ret_image, size, elf->path, &inside, NULL)) {
		free(*ret_image);
		inside = NULL;
	}
	return inside;
}
