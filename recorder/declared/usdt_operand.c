// SPDX-License-Identifier: MIT
// Splits the arguments of a USDT probe's site, and parses what all machines have in common.
#include "recorder/declared/usdt_operand.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// The maximum length of an argument or a symbol's name, with its NUL.
#define WORD_MAX 512

// Returns the end of the argument that begins at `text`. Blanks within brackets are part of it, as
// in aarch64's "8@[sp, 16]".
static const char *find_end(const char *text)
{
	int depth = 0;

	for (; *text && (depth > 0 || !isspace((unsigned char)*text)); text++) {
		depth += *text == '(' || *text == '[';
		depth -= *text == ')' || *text == ']';
	}
	return text;
}

static bool is_size(unsigned long size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

// Parses "-4f@": the size of the argument, a '-' before it if the argument is signed, and an 'f'
// after it if it is a floating-point number. Returns what follows, or NULL.
static const char *parse_size(const char *text, struct frec_usdt_place *place)
{
	unsigned char flags = 0;
	unsigned long size;
	char *end;

	if (*text == '-') {
		flags |= FREC_USDT_SIGNED;
		text++;
	}
	if (!isdigit((unsigned char)*text))
		return NULL;
	size = strtoul(text, &end, 10);
	if (*end == 'f') {
		flags |= FREC_USDT_FLOAT;
		end++;
	}
	if (*end != '@' || !is_size(size) || (flags & FREC_USDT_FLOAT && size < 4))
		return NULL;
	place->flags = flags;
	place->size = place->declared_size = (unsigned char)size;
	return end + 1;
}

static void parse_argument(const struct frec_usdt_site_text *site, const char *text,
			   struct frec_usdt_place *place)
{
	const struct frec_usdt_place none = {.base = FREC_USDT_NO_REGISTER,
					     .index = FREC_USDT_NO_REGISTER};
	struct frec_usdt_place parsed;
	bool readable = false;

	*place = none;
	text = parse_size(text, place);
	if (!text)
		return;
	parsed = *place;
	if (site->machine == EM_X86_64)
		readable = frec__usdt_operand_x86_64(site, text, &parsed);
	else if (site->machine == EM_AARCH64)
		readable = frec__usdt_operand_aarch64(site, text, &parsed);
	if (!readable)
		return;
	*place = parsed;
	place->flags |= FREC_USDT_READABLE;
}

uint32_t frec__usdt_operands_parse(const struct frec_usdt_site_text *site, const char *text,
				   struct frec_usdt_place places[FREC_USDT_ARGUMENTS_MAX])
{
	char word[WORD_MAX];
	uint32_t count = 0;

	for (;;) {
		const char *end;

		while (isspace((unsigned char)*text))
			text++;
		if (!*text)
			return count;
		end = find_end(text);
		if (count < FREC_USDT_ARGUMENTS_MAX) {
			size_t length = (size_t)(end - text);

			length = length < sizeof(word) ? length : 0;
			memcpy(word, text, length);
			word[length] = 0;
			parse_argument(site, word, &places[count]);
		}
		count++;
		text = end;
	}
}

static bool parse_number(const char **text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(*text, &end, 0);
	if (errno)
		return false;
	*text = end;
	return true;
}

static bool is_of_symbol(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$' || c == '@';
}

static bool parse_symbol(const struct frec_usdt_site_text *site, const char **text, uint64_t *ret,
			 bool *ret_slot)
{
	char name[WORD_MAX], *suffix;
	size_t length = 0;

	while (is_of_symbol((*text)[length]))
		length++;
	if (!length || length >= sizeof(name))
		return false;
	memcpy(name, *text, length);
	name[length] = 0;
	suffix = strchr(name, '@');
	if (suffix && strcmp(suffix, "@GOTPCREL") != 0)
		return false;
	*ret_slot = suffix;
	if (suffix)
		*suffix = 0;
	*text += length;
	return site->find_symbol && site->find_symbol(site->context, name, site->site, ret);
}

bool frec__usdt_sum_parse(const struct frec_usdt_site_text *site, const char **text,
			  struct frec_usdt_place *place, bool *ret_slot)
{
	bool has_symbol = false, first = true;

	*ret_slot = false;
	for (;; first = false) {
		bool minus = **text == '-';
		uint64_t value;

		if (minus || **text == '+')
			++*text;
		else if (!first)
			return true;
		if (isdigit((unsigned char)**text)) {
			if (!parse_number(text, &value))
				return false;
		} else {
			if (minus || has_symbol || !parse_symbol(site, text, &value, ret_slot))
				return false;
			has_symbol = true;
			value -= site->site;
			place->flags |= FREC_USDT_FROM_SITE;
		}
		place->add += minus ? -value : value;
	}
}
