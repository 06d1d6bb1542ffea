// SPDX-License-Identifier: MIT
// Whatever a file of rules says, or the time after --from, reading it stays within the text, and
// what is accepted has the parts that its kind needs. The input is the file; its first line is also
// taken for a time.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "export/read/snapshot.h"
#include "export/timeline/filter.h"
#include "export/timeline/shape_rules.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct frec_shape_rule *rule)
{
	require(rule->whole && *rule->whole);
	require(rule->kind == FREC_RULE_SPAN ? rule->event && rule->end
					     : rule->field && *rule->field);
	require(rule->kind == FREC_RULE_SPAN || !rule->end);
	require(rule->event || rule->kind == FREC_RULE_FLOW);
	if (rule->event)
		require(strchr(rule->event, ':'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct frec_snapshot empty;
	struct frec_shape_rules rules = {0};
	struct frec_error error = {0};
	int fd = memfd_create("rules", MFD_CLOEXEC);
	char *line, path[64];
	uint64_t time;

	if (fd < 0)
		return 0;
	require(write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (frec__shape_rules_read(&rules, path, &error))
		require(error.code < 0 && *error.message);
	for (size_t i = 0; i < rules.count; i++)
		check(&rules.rules[i]);
	frec__shape_rules_free(&rules);
	close(fd);
	line = strndup((const char *)data, size);
	line[strcspn(line, "\n")] = 0;
	frec__filter_time(&empty, line, &time);
	free(line);
	return 0;
}
