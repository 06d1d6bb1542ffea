/* SPDX-License-Identifier: MIT */
/* The shop: an inventory, open orders, and the requests that change them. */
#ifndef SHOPD_SHOP_H
#define SHOPD_SHOP_H

#include <stdbool.h>
#include <stdint.h>

#include "http.h"

struct ledger_line;
struct shop;

struct worker { /* one thread's share of the shop */
	struct shop *shop;
	unsigned int index;
	uint64_t sequence;	    /* of the last step */
	struct ledger_line *ledger; /* NULL: none is kept */
};

/* Returns NULL when out of memory. `allow_crash` opens /crash and /trigger. */
struct shop *shop_create(bool allow_crash);
void shop_destroy(struct shop *shop);

/* An http_handler; its context is a struct worker of the calling thread. */
void shop_handle(void *worker, const struct http_request *request, struct http_reply *reply);

/* crash.c: does not come back, unless `how` is unknown (-EINVAL) or memory was refused (-ENOMEM).
 */
int shop_crash(const char *how);

#endif
