// SPDX-License-Identifier: MIT
// Whatever bytes a recorder sends to a service, decoding them as a reply neither crashes nor reads
// beyond them, and the error text in the result ends within its array.
#include <stdlib.h>
#include <string.h>

#include "recorder/service/control_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frec_reply reply;

	memset(&reply, 0xff, sizeof(reply));
	if (!frec__reply_decode(data, size, &reply) &&
	    strnlen(reply.error, sizeof(reply.error)) == sizeof(reply.error))
		abort();
	return 0;
}
