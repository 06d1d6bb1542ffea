/* SPDX-License-Identifier: MIT */
/* Parses the last string of a USDT probe's note, which says where the arguments of a site are, as
 * in "-4@%eax 8@-8(%rbp) 8@table(,%rdi,8)". The string is untrusted. */
#ifndef FREC_RECORDER_DECLARED_USDT_OPERAND_H
#define FREC_RECORDER_DECLARED_USDT_OPERAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorder/declared/usdt_place.h"

/* Finds the address that the file gives to a symbol to which the site refers. Returns false if
 * there is no such symbol, or if several can be meant. */
typedef bool frec_usdt_find_symbol(void *context, const char *name, uint64_t site, uint64_t *ret);

/* A site whose arguments are parsed. */
struct frec_usdt_site_text {
	uint16_t machine; /* EM_X86_64 or EM_AARCH64 of <elf.h> */
	uint64_t site;	  /* the address that the file gives to the site */
	frec_usdt_find_symbol *find_symbol;
	void *context;
};

/*
 * Parses the string `text`. An argument in a place that nobody can read, such as %xmm0, lacks
 * FREC_USDT_READABLE. Returns the number of arguments, and fills in `places` for at most
 * FREC_USDT_ARGUMENTS_MAX of them.
 */
uint32_t frec__usdt_operands_parse(const struct frec_usdt_site_text *site, const char *text,
				   struct frec_usdt_place places[FREC_USDT_ARGUMENTS_MAX]);

/* What usdt_operand.c and the files for each machine share. */

/*
 * Parses a sum of numbers and at most one symbol, as in "table+8", from `*text` on, up to a
 * character that cannot be part of it. Adds it to place->add; for a symbol, that is its distance
 * from the site. Sets `ret_slot` if the symbol stands for the address of a word that holds the
 * symbol's address. Returns false if this is no such sum, or if the symbol is not known.
 */
bool frec__usdt_sum_parse(const struct frec_usdt_site_text *site, const char **text,
			  struct frec_usdt_place *place, bool *ret_slot);

/* Parse the operand behind the '@'. place->size is the declared size; the parser may lower it.
 * `place` has no registers yet. Return false if nobody can read it; `place` is undefined then. */
bool frec__usdt_operand_x86_64(const struct frec_usdt_site_text *site, const char *text,
			       struct frec_usdt_place *place);
bool frec__usdt_operand_aarch64(const struct frec_usdt_site_text *site, const char *text,
				struct frec_usdt_place *place);

#endif
