// SPDX-License-Identifier: MIT
// Parses operands of aarch64 as the assembler spells them: x0, w1, -7, [sp, 16], [x0, w1, sxtw 3].
#include "recorder/declared/usdt_operand.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

// The word of the stack pointer in user_pt_regs, behind x0 to x30.
#define SP 31

struct a_register {
	unsigned char word, bytes;
};

static bool find_register(const char *name, struct a_register *ret)
{
	unsigned long number;
	char *end;

	*ret = (struct a_register){.word = SP, .bytes = 8};
	if (!strcmp(name, "sp"))
		return true;
	ret->word = FREC_USDT_NO_REGISTER;
	ret->bytes = *name == 'w' ? 4 : 8;
	if ((*name != 'x' && *name != 'w') || !name[1])
		return false;
	if (!strcmp(name + 1, "zr")) // reads as zero
		return true;
	if (!isdigit((unsigned char)name[1]))
		return false;
	number = strtoul(name + 1, &end, 10);
	ret->word = (unsigned char)number;
	return number <= 30 && !*end;
}

// Takes a word of at most 7 characters, without a '#' before it, off `*text`.
static bool take_word(const char **text, char ret[8])
{
	size_t length;

	*text += strspn(*text, " #");
	length = strcspn(*text, " #,]");
	if (length > 7)
		return false;
	memcpy(ret, *text, length);
	ret[length] = 0;
	*text += length;
	*text += strspn(*text, " ");
	return true;
}

// Parses "lsl 3", "sxtw" or "sxtw #3" behind an index register.
static bool parse_extension(const char **text, struct frec_usdt_place *place)
{
	char word[8];

	if (!take_word(text, word))
		return false;
	if (!strcmp(word, "sxtw"))
		place->flags |= FREC_USDT_INDEX_SIGNED;
	else if (!strcmp(word, "uxtw"))
		place->flags |= FREC_USDT_INDEX_UNSIGNED;
	else if (strcmp(word, "lsl") != 0 && strcmp(word, "sxtx") != 0)
		return false;
	if (**text == ']')
		return true;
	if (!take_word(text, word) || *word < '0' || *word > '4' || word[1])
		return false;
	place->scale = (unsigned char)(*word - '0');
	return true;
}

static bool parse_index(const char **text, struct frec_usdt_place *place)
{
	struct a_register found;
	char word[8];

	if (!take_word(text, word) || !find_register(word, &found) || found.word == SP)
		return false;
	place->index = found.word;
	if (**text == ',') {
		++*text;
		if (!parse_extension(text, place))
			return false;
	}
	return found.bytes == 8 ||
	       place->flags & (FREC_USDT_INDEX_SIGNED | FREC_USDT_INDEX_UNSIGNED);
}

static bool parse_address(const struct frec_usdt_site_text *site, const char *text,
			  struct frec_usdt_place *place)
{
	struct a_register found;
	char word[8];
	bool slot;

	place->flags |= FREC_USDT_MEMORY;
	if (!take_word(&text, word) || !find_register(word, &found) || found.bytes != 8)
		return false;
	place->base = found.word;
	if (*text == ',') {
		text++;
		text += strspn(text, " #");
		if (isdigit((unsigned char)*text) || *text == '-') {
			if (!frec__usdt_sum_parse(site, &text, place, &slot))
				return false;
		} else if (!parse_index(&text, place)) {
			return false;
		}
	}
	return !strcmp(text, "]");
}

bool frec__usdt_operand_aarch64(const struct frec_usdt_site_text *site, const char *text,
				struct frec_usdt_place *place)
{
	struct a_register found;
	bool slot;

	if (*text == '[')
		return parse_address(site, text + 1, place);
	if (find_register(text, &found)) {
		place->base = found.word;
		place->size = found.bytes < place->size ? found.bytes : place->size;
		return true;
	}
	text += *text == '#';
	return (isdigit((unsigned char)*text) || *text == '-') &&
	       frec__usdt_sum_parse(site, &text, place, &slot) && !*text;
}
