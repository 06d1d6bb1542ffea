// SPDX-License-Identifier: MIT
// Text in packets that are packed by hand.
#include "export/perfetto/packet.h"

uint8_t *frec__packet_text(struct frec_perfetto *perfetto, uint8_t *p, uint32_t field,
			   const void *data, size_t size, const char *end)
{
	p = frec__pack_text(p, field, data, size, end, &perfetto->arena.scratch);
	perfetto->arena.failed |= perfetto->arena.scratch.failed;
	return p;
}
