/* SPDX-License-Identifier: MIT */
/*
 * The shop's requests. Products are in a hash table with a lock per bucket, orders in a table with
 * a lock per slot. A checkout sleeps as long as a payment service would take. Each step that
 * somebody might want to see later is an event.
 */
#include "shop.h"

#include <errno.h>
#include <flightrec/recorder.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "events.h"
#include "ledger.h"

#define BUCKETS 16
#define SLOTS 4096 /* orders beyond these replace the oldest */
#define STOCK 1000
#define QUANTITY_MAX 100

static const char *const materials[] = {"oak", "brass", "linen", "glass", "wool", "slate"};
static const char *const things[] = {"lamp", "bowl", "chair", "clock"};
#define PRODUCTS (sizeof(materials) / sizeof(*materials) * (sizeof(things) / sizeof(*things)))

struct product {
	struct product *next;
	char sku[24];
	unsigned int cents, stock;
};

struct bucket {
	pthread_mutex_t lock;
	struct product *first;
};

enum order_state { ORDER_OPEN, ORDER_PAYING, ORDER_PAID };

struct order {
	pthread_mutex_t lock;
	uint64_t id; /* 0: none */
	uint64_t cents;
	enum order_state state;
};

struct shop {
	bool allow_crash;
	_Atomic uint64_t requests, failures, last_order;
	struct bucket buckets[BUCKETS];
	struct order orders[SLOTS];
	struct product products[PRODUCTS];
};

static uint64_t hash(const void *data, size_t size)
{
	const unsigned char *byte = data;
	uint64_t value = 0xcbf29ce484222325;

	while (size--)
		value = (value ^ *byte++) * 0x100000001b3;
	return value ^ value >> 32;
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static struct bucket *bucket_of(struct shop *shop, const char *sku)
{
	return &shop->buckets[hash(sku, strlen(sku)) % BUCKETS];
}

static void fail(struct http_reply *reply, int status, const char *why)
{
	reply->status = status;
	reply->length = 0;
	http_print(reply, "{\"error\":\"%s\"}\n", why);
}

static void list_products(struct shop *shop, struct http_reply *reply)
{
	const char *separator = "";
	size_t i;

	http_print(reply, "[");
	for (i = 0; i < PRODUCTS; i++) {
		struct product *product = &shop->products[i];
		struct bucket *bucket = bucket_of(shop, product->sku);

		pthread_mutex_lock(&bucket->lock);
		http_print(reply, "%s{\"sku\":\"%s\",\"price\":%u.%02u,\"stock\":%u}", separator,
			   product->sku, product->cents / 100, product->cents % 100,
			   product->stock);
		pthread_mutex_unlock(&bucket->lock);
		separator = ",\n";
	}
	http_print(reply, "]\n");
}

/* Takes goods out of the stock, which is refilled first if there is not enough. Returns their
 * price, or 0 if there is no such product. */
static uint64_t take(struct shop *shop, const char *sku, unsigned int quantity, uint64_t order_id)
{
	struct bucket *bucket = bucket_of(shop, sku);
	struct product *product;
	uint64_t cents = 0;

	pthread_mutex_lock(&bucket->lock);
	for (product = bucket->first; product && strcmp(product->sku, sku);)
		product = product->next;
	if (product) {
		if (product->stock < quantity) {
			product->stock += STOCK;
			frec_shop_restocked(sku, STOCK);
		}
		product->stock -= quantity;
		cents = (uint64_t)quantity * product->cents;
		frec_shop_item_added(order_id, sku, quantity, product->stock, cents / 100.0);
	}
	pthread_mutex_unlock(&bucket->lock);
	return cents;
}

static uint64_t add_to_cart(struct shop *shop, const struct http_request *request,
			    struct http_reply *reply)
{
	unsigned long long id = 0, quantity;
	struct order *order;
	uint64_t cents;
	char sku[24];

	if (!http_parameter(request, "sku", sku, sizeof(sku)) ||
	    !http_number(request, "quantity", QUANTITY_MAX, &quantity) || !quantity) {
		fail(reply, 400, "wanted: sku=..&quantity=1..100");
		return 0;
	}
	if (!http_number(request, "order", UINT64_MAX, &id) || !id)
		id = atomic_fetch_add(&shop->last_order, 1) + 1;
	cents = take(shop, sku, quantity, id);
	if (!cents) {
		fail(reply, 404, "no such product");
		return id;
	}
	order = &shop->orders[id % SLOTS];
	pthread_mutex_lock(&order->lock);
	if (order->id != id || order->state == ORDER_PAID) {
		order->id = id;
		order->cents = 0;
		order->state = ORDER_OPEN;
	}
	order->cents += cents;
	http_print(reply, "{\"order\":%llu,\"cents\":%llu}\n", id,
		   (unsigned long long)order->cents);
	pthread_mutex_unlock(&order->lock);
	return id;
}

/* Simulates a payment service, which takes a while and declines some payments. */
static enum payment_result pay(uint64_t id, uint64_t cents)
{
	uint64_t digest = hash(&id, sizeof(id)), from = now();
	struct timespec latency = {.tv_nsec = 100000 + digest % 1900000};
	enum payment_result result = digest % 50 ? PAYMENT_ACCEPTED : PAYMENT_DECLINED;

	nanosleep(&latency, NULL);
	frec_shop_payment_done(id, cents, result, now() - from);
	return result;
}

static uint64_t checkout(struct shop *shop, const struct http_request *request,
			 struct http_reply *reply)
{
	unsigned long long id;
	enum payment_result result;
	struct order *order;
	uint64_t cents;
	bool open;

	if (!http_number(request, "order", UINT64_MAX, &id) || !id) {
		fail(reply, 400, "wanted: order=..");
		return 0;
	}
	order = &shop->orders[id % SLOTS];
	pthread_mutex_lock(&order->lock);
	if (order->id != id) {
		pthread_mutex_unlock(&order->lock);
		fail(reply, 404, "no such order");
		return id;
	}
	open = order->state == ORDER_OPEN;
	order->state = open ? ORDER_PAYING : order->state;
	cents = order->cents;
	pthread_mutex_unlock(&order->lock);
	if (!open) {
		fail(reply, 409, "the order is being paid, or is paid");
		return id;
	}
	result = pay(id, cents);
	pthread_mutex_lock(&order->lock);
	if (order->id == id)
		order->state = result == PAYMENT_ACCEPTED ? ORDER_PAID : ORDER_OPEN;
	pthread_mutex_unlock(&order->lock);
	if (result == PAYMENT_DECLINED)
		fail(reply, 402, "the payment was declined");
	else
		http_print(reply, "{\"order\":%llu,\"paid\":%llu}\n", id,
			   (unsigned long long)cents);
	return id;
}

static void test_door(const struct http_request *request, struct http_reply *reply)
{
	char name[32];
	int r;

	if (!strcmp(request->path, "/crash") && http_parameter(request, "how", name, sizeof(name)))
		r = shop_crash(name);
	else if (!strcmp(request->path, "/trigger") &&
		 http_parameter(request, "name", name, sizeof(name)))
		r = frec_trigger(name);
	else
		r = -EINVAL;
	if (r)
		fail(reply, r == -EINVAL ? 400 : 500, strerror(-r));
	else
		http_print(reply, "{\"triggered\":\"%s\"}\n", name);
}

static uint64_t dispatch(struct shop *shop, const struct http_request *request,
			 struct http_reply *reply)
{
	if (!strcmp(request->path, "/products"))
		list_products(shop, reply);
	else if (!strcmp(request->path, "/cart/add"))
		return add_to_cart(shop, request, reply);
	else if (!strcmp(request->path, "/checkout"))
		return checkout(shop, request, reply);
	else if (!strcmp(request->path, "/healthz"))
		http_print(reply, "{\"ok\":true}\n");
	else if (!strcmp(request->path, "/stats"))
		http_print(reply, "{\"requests\":%llu,\"failures\":%llu,\"orders\":%llu}\n",
			   (unsigned long long)shop->requests, (unsigned long long)shop->failures,
			   (unsigned long long)shop->last_order);
	else if (shop->allow_crash)
		test_door(request, reply);
	else
		fail(reply, 404, "no such page");
	return 0;
}

static void step(struct worker *worker)
{
	uint64_t sequence = ++worker->sequence;

	if (worker->ledger)
		atomic_store(&worker->ledger->begun, sequence);
	frec_shop_step(worker->index, sequence);
	if (worker->ledger)
		atomic_store(&worker->ledger->done, sequence);
}

void shop_handle(void *context, const struct http_request *request, struct http_reply *reply)
{
	struct worker *worker = context;
	uint64_t order_id, from = now();

	step(worker);
	order_id = dispatch(worker->shop, request, reply);
	worker->shop->requests++;
	worker->shop->failures += reply->status >= 400;
	frec_shop_request_done(order_id, request->path, reply->status, now() - from);
	step(worker);
}

struct shop *shop_create(bool allow_crash)
{
	struct shop *shop = calloc(1, sizeof(*shop));
	size_t i;

	if (!shop)
		return NULL;
	shop->allow_crash = allow_crash;
	for (i = 0; i < BUCKETS; i++)
		pthread_mutex_init(&shop->buckets[i].lock, NULL);
	for (i = 0; i < SLOTS; i++)
		pthread_mutex_init(&shop->orders[i].lock, NULL);
	for (i = 0; i < PRODUCTS; i++) {
		struct product *product = &shop->products[i];
		struct bucket *bucket;

		snprintf(product->sku, sizeof(product->sku), "%s-%s",
			 materials[i / (sizeof(things) / sizeof(*things))],
			 things[i % (sizeof(things) / sizeof(*things))]);
		product->cents = 990 + 250 * i;
		product->stock = STOCK;
		bucket = bucket_of(shop, product->sku);
		product->next = bucket->first;
		bucket->first = product;
	}
	return shop;
}

void shop_destroy(struct shop *shop)
{
	free(shop);
}
