// SPDX-License-Identifier: MIT
// Reading declared events out of ELF files; libelf reads the ELF part.
#include "recorder/declarations.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder/catalog.h"
#include "recorder/cleanup.h"

#define SECTION "frec_declarations"
#define DECLARATION_MAGIC 0x43454446u /* "FDEC" */
#define DECLARATION_VERSION 1

// What an object of the section begins with; the values of its enumerators and its text follow. See flightrec/fields.h.
struct frec_declaration {
	uint32_t magic, size;
	uint16_t version, enumerators;
	uint32_t text_size;
};
#define FILES_MAX 16384
#define EVENTS_MAX 16384
#define NEEDED_DEPTH 8
// Any user's files are read: no more of one than a real one needs.
#define SECTION_SIZE_MAX (16u << 20)

static void free_enumerators(struct frec_enumerator *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i].name);
	free(list);
}

static void declared_deinit(struct frec_declared *event)
{
	for (size_t i = 0; i < event->count; i++) {
		free(event->field[i].kind);
		free(event->field[i].name);
		free_enumerators(event->field[i].enumerator, event->field[i].enumerators);
	}
	free(event->field);
	free(event->provider);
	free(event->name);
}

void frec__declarations_deinit(struct frec_declarations *declarations)
{
	for (size_t i = 0; i < declarations->count; i++)
		declared_deinit(&declarations->event[i]);
	free(declarations->event);
	free(declarations->file);
	*declarations = (struct frec_declarations){0};
}

// The next of the NUL-terminated strings of a text, NULL behind the last.
static const char *next_string(const char **text, const char *end)
{
	const char *string = *text, *nul = string < end ? memchr(string, 0, (size_t)(end - string)) : NULL;

	if (!nul || nul == string)
		return NULL;
	*text = nul + 1;
	return string;
}

static bool is_identifier(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)text[i]) && text[i] != '_')
			return false;
	}
	return length > 0;
}

// "enum state:IDLE,BUSY", with the values taken from the front of *values.
static int parse_field(const char *text, struct frec_declared_field *field, const int64_t **values,
		       size_t *left)
{
	const char *space = strchr(text, ' '), *colon, *name;

	if (!space || !is_identifier(text, (size_t)(space - text)))
		return -EBADMSG;
	name = space + 1;
	colon = name + strcspn(name, ":");
	if (!is_identifier(name, (size_t)(colon - name)))
		return -EBADMSG;
	field->kind = strndup(text, (size_t)(space - text));
	field->name = strndup(name, (size_t)(colon - name));
	if (!field->kind || !field->name)
		return -ENOMEM;
	if (!strcmp(field->kind, "chars"))
		field->length = *colon ? (unsigned int)strtoul(colon + 1, NULL, 0) : 0;
	if (strcmp(field->kind, "enum"))
		return 0;
	while (*colon) {
		const char *enumerator = colon + 1 + strspn(colon + 1, " ");
		struct frec_enumerator *grown;

		colon = enumerator + strcspn(enumerator, ",");
		if (!*left || !is_identifier(enumerator, (size_t)(colon - enumerator)))
			return -EBADMSG;
		grown = reallocarray(field->enumerator, field->enumerators + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		field->enumerator = grown;
		memcpy(&grown[field->enumerators].value, (*values)++, sizeof(int64_t));
		(*left)--;
		grown[field->enumerators].name = strndup(enumerator, (size_t)(colon - enumerator));
		if (!grown[field->enumerators++].name)
			return -ENOMEM;
	}
	return 0;
}

static int parse_text(const char *text, size_t size, const int64_t *values, size_t value_count,
		      struct frec_declared *event)
{
	const char *end = text + size, *provider = next_string(&text, end),
		   *name = provider ? next_string(&text, end) : NULL, *line;

	if (!name || !is_identifier(provider, strlen(provider)) || !is_identifier(name, strlen(name)))
		return -EBADMSG;
	event->provider = strdup(provider);
	event->name = strdup(name);
	if (!event->provider || !event->name)
		return -ENOMEM;
	while ((line = next_string(&text, end))) {
		struct frec_declared_field *grown;
		int r;

		if (event->count == FREC_FIELDS_MAX)
			return -EBADMSG;
		grown = reallocarray(event->field, event->count + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		event->field = grown;
		grown += event->count++;
		*grown = (struct frec_declared_field){0};
		r = parse_field(line, grown, &values, &value_count);
		if (r)
			return r;
	}
	return 0;
}

static bool same(const struct frec_declared *a, const struct frec_declared *b)
{
	if (strcmp(a->provider, b->provider) || strcmp(a->name, b->name) || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->field[i].kind, b->field[i].kind) ||
		    strcmp(a->field[i].name, b->field[i].name) ||
		    a->field[i].length != b->field[i].length)
			return false;
	}
	return true;
}

static int add_event(struct frec_declarations *declarations, struct frec_declared *event)
{
	struct frec_declared *grown;

	for (size_t i = 0; i < declarations->count; i++) {
		if (same(&declarations->event[i], event)) {
			declared_deinit(event);
			return 0;
		}
	}
	grown = declarations->count == EVENTS_MAX
			? NULL
			: reallocarray(declarations->event, declarations->count + 1, sizeof(*grown));
	if (!grown) {
		declared_deinit(event);
		return -ENOMEM;
	}
	declarations->event = grown;
	grown[declarations->count++] = *event;
	return 0;
}

// Objects follow each other at multiples of 8 bytes; a linker may leave zeroes between them.
static int read_section(struct frec_declarations *declarations, const uint8_t *data, size_t size)
{
	size_t at = 0;

	while (size - at >= sizeof(struct frec_declaration)) {
		struct frec_declaration head;
		struct frec_declared event = {0};
		size_t values, room;
		int r;

		memcpy(&head, data + at, sizeof(head));
		if (head.magic != DECLARATION_MAGIC) {
			at += 8;
			continue;
		}
		room = size - at;
		values = (size_t)head.enumerators * sizeof(int64_t);
		if (head.version != DECLARATION_VERSION || head.size > room || head.size % 8 ||
		    head.size < sizeof(head) + values ||
		    head.text_size > head.size - sizeof(head) - values)
			return 0; // Not ours after all, or of a later version.
		r = parse_text((const char *)data + at + sizeof(head) + values, head.text_size,
			       (const int64_t *)(data + at + sizeof(head)), head.enumerators, &event);
		if (r)
			declared_deinit(&event);
		else
			r = add_event(declarations, &event);
		if (r == -ENOMEM)
			return r;
		at += head.size;
	}
	return 0;
}

static bool seen_before(struct frec_declarations *declarations, int fd)
{
	struct frec_declaration_file *grown;
	struct stat status;

	if (fstat(fd, &status) || !S_ISREG(status.st_mode))
		return true;
	for (size_t i = 0; i < declarations->files; i++) {
		if (declarations->file[i].inode == status.st_ino &&
		    declarations->file[i].device == status.st_dev &&
		    declarations->file[i].changed.tv_sec == status.st_ctim.tv_sec &&
		    declarations->file[i].changed.tv_nsec == status.st_ctim.tv_nsec)
			return true;
	}
	if (declarations->files == FILES_MAX)
		declarations->files = 0;
	grown = reallocarray(declarations->file, declarations->files + 1, sizeof(*grown));
	if (grown) {
		declarations->file = grown;
		grown[declarations->files++] = (struct frec_declaration_file){
			.device = status.st_dev, .inode = status.st_ino, .changed = status.st_ctim};
	}
	return false;
}

static const char *section_name(Elf *elf, Elf_Scn *section, GElf_Shdr *header)
{
	GElf_Shdr strings;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) || !gelf_getshdr(elf_getscn(elf, names), &strings) ||
	    strings.sh_size > SECTION_SIZE_MAX || !gelf_getshdr(section, header) ||
	    (header->sh_type != SHT_NOBITS && header->sh_size > SECTION_SIZE_MAX))
		return NULL;
	return elf_strptr(elf, names, header->sh_name);
}

static int add_path(struct frec_declarations *declarations, const char *path, unsigned int depth);

// The libraries of DT_NEEDED, where the dynamic loader looks without being told otherwise.
static void add_needed(struct frec_declarations *declarations, Elf *elf, Elf_Scn *section,
		       const GElf_Shdr *header, const char *path, unsigned int depth)
{
	static const char *const folders[] = {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
					      "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
					      "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"};
	Elf_Data *data = elf_getdata(section, NULL);
	const char *slash = strrchr(path, '/');
	GElf_Dyn entry;

	for (int pass = 0; data && pass < 2; pass++) {
		for (int i = 0; gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
			const char *text = elf_strptr(elf, header->sh_link, entry.d_un.d_val);
			char candidate[PATH_MAX];

			if (!text)
				continue;
			// Run paths come before the usual folders.
			if (pass == 0 && (entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH)) {
				GElf_Dyn library;

				for (int l = 0; gelf_getdyn(data, l, &library) && library.d_tag != DT_NULL;
				     l++) {
					const char *name =
						library.d_tag == DT_NEEDED
							? elf_strptr(elf, header->sh_link, library.d_un.d_val)
							: NULL;
					const char *folder = text;

					while (name && *folder) {
						int length = (int)strcspn(folder, ":");

						if (!strncmp(folder, "$ORIGIN", 7))
							snprintf(candidate, sizeof(candidate),
								 "%.*s%.*s/%s",
								 slash ? (int)(slash - path) : 1,
								 slash ? path : ".", length - 7,
								 folder + 7, name);
						else
							snprintf(candidate, sizeof(candidate), "%.*s/%s",
								 length, folder, name);
						add_path(declarations, candidate, depth);
						folder += length + (folder[length] == ':');
					}
				}
			}
			if (pass == 1 && entry.d_tag == DT_NEEDED) {
				for (size_t f = 0; f < sizeof(folders) / sizeof(folders[0]); f++) {
					snprintf(candidate, sizeof(candidate), "%s/%s", folders[f], text);
					if (!add_path(declarations, candidate, depth))
						break;
				}
			}
		}
	}
}

// Opens a regular file. What a process calls its mapping can lead anywhere by now, and just to open a device can do things.
static int open_regular(const char *path)
{
	FREC_CLOSE int place = open(path, O_PATH | O_CLOEXEC);
	char again[32];
	struct stat status;
	int fd;

	if (place < 0 || fstat(place, &status))
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", place);
	fd = open(again, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static int add_path(struct frec_declarations *declarations, const char *path, unsigned int depth)
{
	FREC_CLOSE int fd = open_regular(path);
	Elf_Scn *section = NULL;
	int r = 0;
	Elf *elf;

	if (fd < 0)
		return fd;
	if (seen_before(declarations, fd))
		return 0;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	while (elf && !r && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name = section_name(elf, section, &header);
		Elf_Data *data;

		if (!name)
			continue;
		if (!strcmp(name, SECTION) && header.sh_type == SHT_PROGBITS) {
			data = elf_getdata(section, NULL);
			if (data && data->d_buf)
				r = read_section(declarations, data->d_buf, data->d_size);
		} else if (depth && header.sh_type == SHT_DYNAMIC) {
			add_needed(declarations, elf, section, &header, path, depth - 1);
		}
	}
	elf_end(elf);
	return r;
}

int frec__declarations_add_file(struct frec_declarations *declarations, const char *path, bool needed)
{
	return add_path(declarations, path, needed ? NEEDED_DEPTH : 0);
}

int frec__declarations_add_process(struct frec_declarations *declarations, pid_t pid)
{
	char path[PATH_MAX + 64], last[PATH_MAX] = "";
	FREC_FREE char *maps = NULL;
	char *save = NULL;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = frec__read_file_at(AT_FDCWD, path, 4 << 20);
	if (!maps)
		return -errno;
	for (char *line = strtok_r(maps, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *file = strchr(line, '/');

		if (!file || !strcmp(file, last))
			continue;
		snprintf(last, sizeof(last), "%s", file);
		// Through the process's own root: it may live in a container.
		snprintf(path, sizeof(path), "/proc/%d/root%s", pid, file);
		if (add_path(declarations, path, 0) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

int frec__declarations_add_machine(struct frec_declarations *declarations)
{
	FREC_CLOSEDIR DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    frec__declarations_add_process(declarations, (pid_t)strtol(entry->d_name, NULL, 10)) ==
			    -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

static const struct {
	const char *kind, *registration;
	Flightrec__FieldKind refined;
	uint32_t size;
} kinds[] = {
	{"u8", "u8 %s", FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED, 1},
	{"u16", "u16 %s", FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED, 2},
	{"u32", "u32 %s", FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED, 4},
	{"u64", "u64 %s", FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED, 8},
	{"i8", "s8 %s", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 1},
	{"i16", "s16 %s", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 2},
	{"i32", "s32 %s", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 4},
	{"i64", "s64 %s", FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 8},
	{"bool", "unsigned char %s", FLIGHTREC__FIELD_KIND__FIELD_BOOL, 1},
	{"f32", "struct float %s 4", FLIGHTREC__FIELD_KIND__FIELD_FLOAT, 4},
	{"f64", "struct double %s 8", FLIGHTREC__FIELD_KIND__FIELD_FLOAT, 8},
	{"ptr", "u64 %s", FLIGHTREC__FIELD_KIND__FIELD_POINTER, 8},
	{"enum", "s32 %s", FLIGHTREC__FIELD_KIND__FIELD_ENUM, 4},
	{"str", "__rel_loc char[] %s", FLIGHTREC__FIELD_KIND__FIELD_STRING, 4},
	{"bytes", "__rel_loc u8[] %s", FLIGHTREC__FIELD_KIND__FIELD_BYTES, 4},
	{"chars", NULL, FLIGHTREC__FIELD_KIND__FIELD_CHARS, 0},
};

static int kind_of(const struct frec_declared_field *field)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(kinds[i].kind, field->kind))
			return (int)i;
	}
	return -1;
}

// Whether the kernel's format file spells the field's type as its registration does. What it says between the brackets of
// an array was never initialised.
static bool same_type(const struct frec_declared_field *declared, const struct frec_field *field)
{
	int kind = kind_of(declared);
	size_t length;

	if (kind < 0)
		return false;
	if (!kinds[kind].size)
		return !strncmp(field->type, "char[", 5) && field->size == declared->length;
	length = strlen(kinds[kind].registration) - strlen(strstr(kinds[kind].registration, " %s"));
	if (kinds[kind].registration[length - 1] == ']')
		length -= strlen("]");
	return !strncmp(field->type, kinds[kind].registration, length) &&
	       (!field->type[length] || field->type[length - 1] == '[') &&
	       field->size == kinds[kind].size;
}

static bool agrees(const struct frec_declared *event, const struct frec_format *format)
{
	if (event->count != format->count)
		return false;
	for (size_t i = 0; i < event->count; i++) {
		if (strcmp(event->field[i].name, format->field[i].name) ||
		    !same_type(&event->field[i], &format->field[i]))
			return false;
	}
	return true;
}

static void refine_field(const struct frec_declared_field *declared, struct frec_field *field)
{
	field->kind = kinds[kind_of(declared)].refined;
	free_enumerators(field->enumerator, field->enumerators);
	field->enumerators = 0;
	field->enumerator = calloc(declared->enumerators + 1, sizeof(*field->enumerator));
	for (size_t e = 0; field->enumerator && e < declared->enumerators; e++) {
		field->enumerator[e].value = declared->enumerator[e].value;
		field->enumerator[e].name = strdup(declared->enumerator[e].name);
		if (!field->enumerator[e].name)
			break;
		field->enumerators++;
	}
}

bool frec__declarations_refine(const struct frec_declarations *declarations, const char *provider,
			       const char *name, struct frec_format *format)
{
	for (size_t i = 0; i < declarations->count; i++) {
		const struct frec_declared *event = &declarations->event[i];

		if (strcmp(event->provider, provider) || strcmp(event->name, name) ||
		    !agrees(event, format))
			continue;
		for (size_t f = 0; f < format->count; f++)
			refine_field(&event->field[f], &format->field[f]);
		return true;
	}
	return false;
}

char *frec__declared_registration(const struct frec_declared *event)
{
	size_t size;
	char *text = NULL;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	fprintf(stream, "%s__%s", event->provider, event->name);
	for (size_t i = 0; i < event->count; i++) {
		const struct frec_declared_field *field = &event->field[i];
		int kind = kind_of(field);

		fputs(i ? "; " : " ", stream);
		if (kind >= 0 && kinds[kind].size)
			fprintf(stream, kinds[kind].registration, field->name);
		else
			fprintf(stream, "char[%u] %s", field->length, field->name);
	}
	if (fclose(stream)) {
		free(text);
		return NULL;
	}
	return text;
}
