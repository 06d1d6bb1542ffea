/* SPDX-License-Identifier: MIT */
/*
 * Which events can be recorded, and the fields of their records. This directory reads descriptions
 * of events, and sources/ turns them into sources. Nothing here opens or records an event.
 *
 * The descriptions come from two places:
 *
 *	tracefs		catalog.h lists its events and matches globs against them; format.h parses
 *			an event's format file into struct frec_format, a list of typed fields.
 *	ELF files	each FREC_EVENT of a program is in section `frec_declarations`, whose layout
 *			flightrec/fields.h defines. This file parses it; declared_files.h finds the
 *			files (programs, their libraries, everything that runs); file_reader.h has
 *			them read by a child in a sandbox, which also finds where in a file a
 *			breakpoint can listen to the event (file_contents.h).
 *
 *	ELF file --declared_files--> struct frec_declared --declared_kinds--> struct frec_format
 *	tracefs --catalog--> struct frec_listed, format file --format----------> struct frec_format
 *
 * A declaration contains what a format file cannot: which integers are bool, pointers or enums, and
 * the names of enumerators. declared_kinds.h adds this information to the format of a registered
 * event. For an event that no format file describes, it makes a format from the declaration alone.
 * A declaration can be read before the program starts.
 *
 * Invariants: a program is never run to learn its events. ELF files are untrusted and may belong to
 * any user, so each offset and size is checked, and everything has a maximum. Declarations are only
 * ever added, so their indices stay valid.
 */
#ifndef FREC_RECORDER_DECLARED_DECLARATIONS_H
#define FREC_RECORDER_DECLARED_DECLARATIONS_H

#include <stddef.h>
#include <sys/types.h>

#include "recorder/declared/format.h"

struct frec_declared_field {
	char *kind; /* as in the section: "u64", "str", "chars", ... */
	char *name;
	unsigned int length; /* number of characters, if kind is "chars" */
	size_t enumerators;
	struct frec_enumerator *enumerator;
};

struct frec_declared {
	char *provider;
	char *name;
	size_t count;
	struct frec_declared_field *field;
};

/* A place in a file where a recorder can listen to an event: see flightrec/site.h. */
struct frec_site {
	size_t event;	 /* index into frec_declarations.event */
	uint64_t offset; /* where the site's instructions are in the file */
	uint64_t enable; /* where the event's enable word is in the file */
};

struct frec_file_reader;

struct frec_declarations {
	size_t count;
	struct frec_declared *event;
	/* If not NULL, this is called with the sites of a file when the file is first read. `fd` is
	 * the open file. */
	void (*found_sites)(void *context, int fd, const struct frec_site *sites, size_t count);
	void *context;
	/* reads files in child processes; NULL until a file is added */
	struct frec_file_reader *reader;
	/* the files that were read already, so that no file is read twice */
	size_t files;
	/* memory ran out while files were read since the last call of frec__declarations_add_*(),
	 * so some declarations are missing */
	bool out_of_memory;
	struct frec_declaration_file {
		dev_t device;
		ino_t inode;
		struct timespec changed;
	} * file;
};

void frec__declarations_deinit(struct frec_declarations *declarations);

/*
 * Adds the declaration at the start of `data`. Returns its size in bytes, -EBADMSG if there is
 * none, or -ENOMEM. *ret_index is set to the index of the declared event, or to SIZE_MAX if the
 * text of the declaration is malformed or there are too many events.
 */
ssize_t frec__declaration_read(struct frec_declarations *declarations, const uint8_t *data,
			       size_t size, size_t *ret_index);

/* Adds the declarations of a section. Skips declarations whose text is malformed, and zeroes
 * between declarations. Stops at the first bytes that are neither. Returns 0 or -ENOMEM. */
int frec__declarations_read(struct frec_declarations *declarations, const uint8_t *data,
			    size_t size);

#define FREC_DECLARATIONS __attribute__((cleanup(frec__declarations_deinit)))

#endif
