// SPDX-License-Identifier: MIT
// Text in packets that are packed by hand.
#include "export/perfetto/packet.h"

uint8_t *frec__packet_text(struct frec_perfetto *perfetto, uint8_t *p, uint32_t field,
			   const void *data, size_t size, const char *end)
{
	struct frec_text *scratch = &perfetto->arena.scratch;

	if (!*end && frec__bytes_are_plain(data, size, frec__not_ascii_text))
		return frec__pack_bytes(p, field, data, size);
	frec__text_clear(scratch);
	frec__text_utf8(scratch, data, size);
	frec__text_puts(scratch, end);
	perfetto->arena.failed |= scratch->failed;
	return frec__pack_bytes(p, field, scratch->data, scratch->size);
}
