/* SPDX-License-Identifier: MIT */
/*
 * Events as they are declared in an ELF file, read without running it: section `frec_declarations`,
 * laid out as flightrec/fields.h says. Tells what the kernel's format file cannot: which integers
 * are bool, pointers or enums, and the names of enumerators; and, before a program starts, which
 * events it is going to have.
 */
#ifndef FREC_RECORDER_DECLARED_DECLARATIONS_H
#define FREC_RECORDER_DECLARED_DECLARATIONS_H

#include <stddef.h>
#include <sys/types.h>

#include "recorder/declared/format.h"

struct frec_declared_field {
	char *kind; /* as in the section: "u64", "str", "chars", ... */
	char *name;
	unsigned int length; /* of "chars" */
	size_t enumerators;
	struct frec_enumerator *enumerator;
};

struct frec_declared {
	char *provider;
	char *name;
	size_t count;
	struct frec_declared_field *field;
};

/* Where in a file a recorder can listen to an event: see flightrec/site.h. */
struct frec_site {
	size_t event;	 /* index of frec_declarations.event */
	uint64_t offset; /* of the site's instructions, in the file */
	uint64_t enable; /* of the enable word, in the file */
};

struct frec_declarations {
	size_t count;
	struct frec_declared *event;
	/* Told of the sites in each file when it is read for the first time; may be NULL. `fd` is
	 * the file. */
	void (*found_sites)(void *context, int fd, const struct frec_site *sites, size_t count);
	void *context;
	/* Files that were read already, by device and inode, so that no file is read twice. */
	size_t files;
	struct frec_declaration_file {
		dev_t device;
		ino_t inode;
		struct timespec changed;
	} * file;
};

void frec__declarations_deinit(struct frec_declarations *declarations);
void frec__enumerators_free(struct frec_enumerator *list, size_t count);

/*
 * Adds the declaration that `data` begins with. Returns how many bytes it takes, -EBADMSG where
 * there is none, or -ENOMEM. `ret_index` tells which event it is, SIZE_MAX when it makes no sense.
 */
ssize_t frec__declaration_read(struct frec_declarations *declarations, const uint8_t *data,
			       size_t size, size_t *ret_index);

/* Adds what the bytes of such a section declare; passes over what it cannot read. Returns 0 or
 * -ENOMEM. */
int frec__declarations_read(struct frec_declarations *declarations, const uint8_t *data,
			    size_t size);

/*
 * Adds what `path` declares, and, with `needed`, what the shared libraries do that it is linked
 * with (found through the dynamic loader's usual folders). A file that is no ELF file or declares
 * nothing adds nothing. Returns 0, -ENOMEM, or a negative errno when the file cannot be opened.
 */
int frec__declarations_add_file(struct frec_declarations *declarations, const char *path,
				bool needed);

/* Adds what a file declares that a process has mapped as `path`, in its own root; also when the
 * process is gone. */
int frec__declarations_add_mapping(struct frec_declarations *declarations, uint32_t pid,
				   const char *path);

/* Adds what the executable mappings of a running process declare. */
int frec__declarations_add_process(struct frec_declarations *declarations, pid_t pid);

/* Adds what the processes of this machine declare. */
int frec__declarations_add_machine(struct frec_declarations *declarations);

/* Refines `format` with the declaration of provider:name whose fields agree with it. Returns
 * whether there was one. */
bool frec__declarations_refine(const struct frec_declarations *declarations, const char *provider,
			       const char *name, struct frec_format *format);

/* The layout of the event's records where no format file tells it: the one that its registration
 * would get. Or -ENOMEM. */
int frec__declared_format(const struct frec_declared *event, struct frec_format *ret);

/* What to write to the kernel to register the event: "shop__paid u64 order_id; ...". NULL when out
 * of memory. */
char *frec__declared_registration(const struct frec_declared *event);

#endif
