// SPDX-License-Identifier: MIT
// Parses operands of x86_64 as the assembler spells them: %rax, $-7, -8(%rbp,%rdi,8), table(%rip).
#include "recorder/declared/usdt_operand.h"

#include <stdlib.h>
#include <string.h>

// The words of pt_regs, see the kernel's arch/x86/include/asm/ptrace.h.
enum { R15, R14, R13, R12, BP, BX, R11, R10, R9, R8, AX, CX, DX, SI, DI, ORIG_AX, IP };
#define SP 19

struct a_register {
	unsigned char word, bytes;
	bool second_byte; /* bits 8 to 15, as in %ah */
};

// Parses %r8 to %r15, of which %r8d has 4 bytes, %r8w 2 and %r8b 1.
static bool find_numbered(const char *name, struct a_register *ret)
{
	static const unsigned char words[] = {R8, R9, R10, R11, R12, R13, R14, R15};
	char *end;
	unsigned long number = strtoul(name, &end, 10);

	if (*name < '1' || *name > '9' || number < 8 || number > 15)
		return false;
	ret->word = words[number - 8];
	ret->bytes = *end == 'd' ? 4 : *end == 'w' ? 2 : *end == 'b' ? 1 : 8;
	return !*end || (ret->bytes != 8 && !end[1]);
}

static bool find_register(const char *name, struct a_register *ret)
{
	static const struct {
		char name[3];
		unsigned char word;
	} named[] = {{"ax", AX}, {"bx", BX}, {"cx", CX}, {"dx", DX},
		     {"si", SI}, {"di", DI}, {"bp", BP}, {"sp", SP}};
	size_t length = strlen(name);
	char end = length ? name[length - 1] : 0;

	*ret = (struct a_register){.bytes = 2};
	if (*name == 'r' && find_numbered(name + 1, ret))
		return true;
	if (length == 3 && (*name == 'r' || *name == 'e')) {
		ret->bytes = *name == 'r' ? 8 : 4;
		name++;
	} else if ((length == 2 || length == 3) && (end == 'l' || end == 'h')) {
		ret->bytes = 1;
		ret->second_byte = end == 'h';
	} else if (length != 2) {
		return false;
	}
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		bool is_letter = i < 4; // %al and %ah, but %sil

		ret->word = named[i].word;
		if (ret->bytes > 1 ? !strcmp(name, named[i].name)
		    : is_letter	   ? length == 2 && *name == *named[i].name
				   : length == 3 && end == 'l' && !strncmp(name, named[i].name, 2))
			return true;
	}
	return false;
}

// Takes a word of at most 7 characters, up to a ',' or ')', off `*text`.
static bool take_word(const char **text, char ret[8])
{
	size_t length;

	*text += strspn(*text, " ");
	length = strcspn(*text, " ,)");
	if (length > 7)
		return false;
	memcpy(ret, *text, length);
	ret[length] = 0;
	*text += length;
	*text += strspn(*text, " ");
	return true;
}

// Parses a register that is part of an address.
static bool take_address_register(const char **text, unsigned char *ret)
{
	struct a_register found;
	char word[8];

	if (!take_word(text, word))
		return false;
	if (!*word) // as in "(,%rdi,8)"
		return true;
	if (*word != '%' || !find_register(word + 1, &found) || found.bytes != 8)
		return false;
	*ret = found.word;
	return true;
}

static bool take_scale(const char **text, unsigned char *ret)
{
	char word[8];

	if (!take_word(text, word) || strlen(word) != 1)
		return false;
	for (*ret = 0; *ret <= 3; ++*ret) {
		if (*word == '0' + (1 << *ret))
			return true;
	}
	return false;
}

// Parses what is between the brackets of an address.
static bool parse_registers(const char *text, struct frec_usdt_place *place)
{
	if (!strcmp(text, "%rip)")) // the distance of a symbol counts from the site already
		return place->flags & FREC_USDT_FROM_SITE;
	if (!take_address_register(&text, &place->base))
		return false;
	if (*text == ',') {
		text++;
		if (!take_address_register(&text, &place->index))
			return false;
	}
	if (*text == ',') {
		text++;
		if (!take_scale(&text, &place->scale))
			return false;
	}
	return !strcmp(text, ")");
}

bool frec__usdt_operand_x86_64(const struct frec_usdt_site_text *site, const char *text,
			       struct frec_usdt_place *place)
{
	struct a_register found;
	bool slot = false;

	if (*text == '%') {
		if (!find_register(text + 1, &found))
			return false;
		place->base = found.word;
		place->size = found.bytes < place->size ? found.bytes : place->size;
		place->flags |= found.second_byte ? FREC_USDT_SECOND_BYTE : 0;
		return true;
	}
	if (*text == '$') {
		text++;
		return frec__usdt_sum_parse(site, &text, place, &slot) && !*text && !slot;
	}
	place->flags |= FREC_USDT_MEMORY;
	if (*text != '(' && !frec__usdt_sum_parse(site, &text, place, &slot))
		return false;
	if (slot) {
		// The word in the global offset table holds the address of the symbol.
		place->flags &= (unsigned char)~FREC_USDT_MEMORY;
		return !strcmp(text, "(%rip)");
	}
	return !*text || (*text == '(' && parse_registers(text + 1, place));
}
