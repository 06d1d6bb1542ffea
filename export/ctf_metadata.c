// SPDX-License-Identifier: MIT
// The metadata of a CTF trace (Common Trace Format 1.8, section 7): TSDL text that describes every
// byte of the streams. Everything is aligned to bytes. Field names get a leading underscore, which
// readers remove: without the underscore, a field could not have the name of a keyword.
#include "export/ctf_metadata.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "export/identifiers.h"
#include "export/read/clocks.h"

// Adds a string literal, which in TSDL is as in C. Quotes, backslashes and bytes that are not
// printable ASCII are written in octal.
static void add_literal(struct frec_text *text, const void *data, size_t size)
{
	const uint8_t *p = data;

	frec__text_puts(text, "\"");
	for (size_t i = 0; i < size; i++) {
		if (p[i] < 0x20 || p[i] >= 0x7f || p[i] == '"' || p[i] == '\\')
			frec__text_printf(text, "\\%03o", p[i]);
		else
			frec__text_add(text, &p[i], 1);
	}
	frec__text_puts(text, "\"");
}

static void add_integer(struct frec_text *text, uint32_t size, bool is_signed, unsigned int base)
{
	frec__text_printf(text,
			  "integer { size = %" PRIu32
			  "; align = 8; signed = %s; base = %u; encoding = none; }",
			  8 * size, is_signed ? "true" : "false", base);
}

static void add_enum(struct frec_text *text, const Flightrec__Field *field)
{
	frec__text_puts(text, "enum : ");
	add_integer(text, field->size, true, 10);
	frec__text_puts(text, " {");
	for (size_t i = 0; i < field->n_enumerator; i++) {
		const char *name = field->enumerator[i]->name;

		frec__text_puts(text, i ? ", " : " ");
		add_literal(text, name, strlen(name));
		frec__text_printf(text, " = %" PRId64, field->enumerator[i]->value);
	}
	frec__text_puts(text, " }");
}

static void add_field(struct frec_text *text, const Flightrec__Source *source, size_t index)
{
	const Flightrec__Field *field = source->field[index];
	enum frec_field_type type = frec__field_type(field);

	frec__text_puts(text, "\t\t");
	switch (type) {
	case FREC_FIELD_INTEGER:
		if (field->kind == FLIGHTREC__FIELD_KIND__FIELD_ENUM && field->n_enumerator)
			add_enum(text, field);
		else
			add_integer(text, field->size,
				    field->kind == FLIGHTREC__FIELD_KIND__FIELD_SIGNED ||
					    field->kind == FLIGHTREC__FIELD_KIND__FIELD_ENUM,
				    field->kind == FLIGHTREC__FIELD_KIND__FIELD_POINTER ? 16 : 10);
		break;
	case FREC_FIELD_FLOAT:
		frec__text_printf(text,
				  "floating_point { exp_dig = %d; mant_dig = %d; align = 8; }",
				  field->size == 4 ? 8 : 11, field->size == 4 ? 24 : 53);
		break;
	case FREC_FIELD_TEXT:
		frec__text_puts(text, "string");
		break;
	case FREC_FIELD_BYTES:
	case FREC_FIELD_ARRAY:
		add_integer(text, 4, false, 10);
		frec__text_puts(text, " __");
		frec__field_identifier(text, source, index);
		frec__text_puts(text, "_length;\n\t\t");
		if (type == FREC_FIELD_BYTES)
			add_integer(text, 1, false, 16);
		else
			add_integer(text, field->element_size, field->element_signed, 10);
		break;
	}
	frec__text_puts(text, " _");
	frec__field_identifier(text, source, index);
	if (type == FREC_FIELD_BYTES || type == FREC_FIELD_ARRAY) {
		frec__text_puts(text, "[__");
		frec__field_identifier(text, source, index);
		frec__text_puts(text, "_length]");
	}
	frec__text_puts(text, ";\n");
	if (frec__field_is_readable(field)) {
		frec__text_puts(text, "\t\tstring __");
		frec__field_identifier(text, source, index);
		frec__text_puts(text, "_text;\n");
	}
}

static void add_event(struct frec_text *text, const Flightrec__Source *source, size_t id,
		      enum frec_ctf_class class)
{
	char name[512];

	snprintf(name, sizeof(name), "%s:%s", source->system, source->name);
	frec__text_puts(text, "\nevent {\n\tname = ");
	add_literal(text, name, strlen(name));
	frec__text_printf(text, ";\n\tid = %zu;\n\tstream_id = %d;\n\tfields := struct {\n", id,
			  class);
	for (size_t i = 0; i < source->n_field; i++)
		add_field(text, source, i);
	frec__text_puts(text, "\t};\n};\n");
}

// Adds the clock of the events and how far CLOCK_REALTIME was ahead of it when the snapshot was
// taken, so that readers can show dates.
static void add_clock(struct frec_text *text, const struct frec_snapshot *snapshot)
{
	uint64_t reference = frec__snapshot_reference(snapshot);
	uint64_t ahead = frec__snapshot_realtime(snapshot, reference) - reference;

	frec__text_printf(text,
			  "\nclock {\n\tname = monotonic;\n\tdescription = \"CLOCK_MONOTONIC\";\n"
			  "\tfreq = 1000000000;\n\toffset_s = %" PRIu64 ";\n\toffset = %" PRIu64
			  ";\n};\n",
			  ahead / 1000000000, ahead % 1000000000);
}

static void add_environment(struct frec_text *text, const Flightrec__Header *header)
{
	frec__text_puts(text, "\nenv {\n\ttracer_name = \"flightrec\";\n\ttracer_version = ");
	add_literal(text, header->writer, strlen(header->writer));
	if (header->host) {
		frec__text_puts(text, ";\n\thostname = ");
		add_literal(text, header->host->hostname.data, header->host->hostname.len);
		frec__text_puts(text, ";\n\tsysname = \"Linux\";\n\tkernel_release = ");
		add_literal(text, header->host->kernel_release,
			    strlen(header->host->kernel_release));
	}
	frec__text_puts(text, ";\n};\n");
}

static void add_class(struct frec_text *text, const struct frec_export *context,
		      enum frec_ctf_class class)
{
	const struct frec_snapshot *snapshot = context->snapshot;

	frec__text_printf(
		text,
		"\nstream {\n\tid = %d;\n\tpacket.context := struct {\n"
		"\t\ttime timestamp_begin;\n\t\ttime timestamp_end;\n\t\tu64 content_size;\n"
		"\t\tu64 packet_size;\n%s\t};\n"
		"\tevent.header := struct { u32 id; time timestamp; };\n"
		"\tevent.context := struct {\n"
		"\t\ts32 _vpid;\n\t\ts32 _vtid;\n\t\tstring _process;\n\t\tstring _procname;\n"
		"\t\tstring _truncated;\n\t\tstring _invalid;\n\t};\n};\n",
		class, class == FREC_CTF_OF_CPU ? "\t\tu32 cpu_id;\n" : "");
	for (size_t i = 0; i < snapshot->source_count; i++) {
		if (context->filter->sources[i])
			add_event(text, snapshot->sources[i], i, class);
	}
}

void frec__ctf_metadata(struct frec_text *text, const struct frec_export *context, bool no_cpu)
{
	const struct frec_snapshot *snapshot = context->snapshot;

	frec__text_puts(text,
			"/* CTF 1.8 */\n\n"
			"typealias integer { size = 32; align = 8; signed = false; } := u32;\n"
			"typealias integer { size = 32; align = 8; signed = true; } := s32;\n"
			"typealias integer { size = 64; align = 8; signed = false; } := u64;\n"
			"\ntrace {\n\tmajor = 1;\n\tminor = 8;\n\tbyte_order = le;\n"
			"\tpacket.header := struct { u32 magic; u32 stream_id; };\n};\n");
	add_environment(text, snapshot->header);
	add_clock(text, snapshot);
	frec__text_puts(text, "\ntypealias integer { size = 64; align = 8; signed = false;"
			      " map = clock.monotonic.value; } := time;\n");
	add_class(text, context, FREC_CTF_OF_CPU);
	if (no_cpu)
		add_class(text, context, FREC_CTF_OF_NO_CPU);
}
