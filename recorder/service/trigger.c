// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "flightrec/recorder.h"
#include "recorder/service/control.h"
#include "recorder/service/control_message.h"
#include "recorder/service/embedded.h"

_Static_assert(FREC_TRIGGER_PAIRS_MAX == FREC_REQUEST_PAIRS_MAX &&
		       FREC_TRIGGER_KEY_MAX == FREC_REQUEST_KEY_MAX &&
		       FREC_TRIGGER_VALUE_MAX == FREC_REQUEST_VALUE_MAX,
	       "what is promised is what is sent");

// Turns an error from sending a request into one that frec_trigger() documents.
static int trigger_error(int r)
{
	switch (r) {
	case -EPIPE:
	case -ECONNRESET:
	case -ECONNREFUSED:
		return -ENOTCONN; // the recorder is gone
	case -ENOBUFS:
	case -ENOMEM:
		return -EAGAIN;
	default:
		return r;
	}
}

int frec_trigger(const char *name)
{
	return frec_trigger_pairs(name, NULL, 0);
}

int frec_trigger_pairs(const char *name, const char *const *pairs, size_t count)
{
	const struct frec_request request = {
		.kind = FREC_REQUEST_NOTIFY, .name = name, .pair = pairs, .pairs = count};
	// Pairs with the release store in frec__embedded_keep().
	int socket = __atomic_load_n(&frec__embedded.socket, __ATOMIC_ACQUIRE);

	if (!name || !frec__trigger_name_valid(name))
		return -EINVAL;
	if (count > FREC_TRIGGER_PAIRS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < count; i++) {
		const char *key = pairs[2 * i];

		if (!key || !frec__request_key_valid(key, strnlen(key, FREC_TRIGGER_KEY_MAX + 1)) ||
		    frec__has_key(pairs, i, 2, key, strlen(key)))
			return -EINVAL;
	}
	if (!frec__embedded_is_ours(socket))
		return -ENOTCONN;
	return trigger_error(frec__request_send(socket, &request, -1));
}
