// SPDX-License-Identifier: MIT
// Declares an event and emits it a thousand times.
//
//	flightrec run -e 'shop:*' -- sh -c './emit; exit 1'
//
// Without `flightrec run`, and without a recorder for the whole machine, nothing listens, and each
// of the calls is a load, a test and a branch.
#include <flightrec/event.h>
#include <stdio.h>

enum payment { CARD, INVOICE };

FREC_EVENT(shop, request_done, FREC_U64(order_id), FREC_STR(path), FREC_I32(status),
	   FREC_F64(milliseconds), FREC_ENUM(payment, CARD, INVOICE));

int main(void)
{
	struct frec_stats stats = {.size = sizeof(stats)};

	for (uint64_t order = 1; order <= 1000; order++) {
		char path[40];

		snprintf(path, sizeof(path), "/orders/%llu", (unsigned long long)order);
		frec_shop_request_done(order, path, order % 10 ? 200 : 404, (double)order / 8,
				       order % 3 ? CARD : INVOICE);
	}
	frec_stats_read(&stats);
	printf("%s: %llu events declared, listening: %s\n", frec_version(),
	       (unsigned long long)stats.events, frec_shop_request_done_enabled() ? "yes" : "no");
	return 0;
}
