/* SPDX-License-Identifier: MIT */
/* The shop: an inventory, open orders, and the requests that change them. */
#ifndef SHOPD_SHOP_H
#define SHOPD_SHOP_H

#include <stdbool.h>
#include <stdint.h>

#include "http.h"

struct ledger_line;
struct shop;

struct worker { /* one thread that serves the shop */
	struct shop *shop;
	unsigned int index;
	uint64_t sequence;	    /* number of the last step event */
	struct ledger_line *ledger; /* or NULL */
};

/* Returns NULL if memory runs out. `allow_crash` enables /crash and /trigger. */
struct shop *shop_create(bool allow_crash);
void shop_destroy(struct shop *shop);

/* An http_handler; its context is the struct worker of the calling thread. */
void shop_handle(void *worker, const struct http_request *request, struct http_reply *reply);

/* Defined in crash.c. Does not return, unless `how` is unknown (-EINVAL) or the kernel refused
 * memory (-ENOMEM). */
int shop_crash(const char *how);

#endif
