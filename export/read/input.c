// SPDX-License-Identifier: MIT
// Opens a snapshot in two steps. The first opens the file without looking into its records, the
// second adds the sources that its records describe.
#include "export/read/input.h"

#include "export/read/eventheader.h"
#include "export/read/parts.h"

static int describe(struct frec_snapshot *snapshot, struct frec_error *reterr)
{
	int r = frec__eventheader_describe(snapshot);

	if (r) {
		frec__error(reterr, r, "%s: %s", snapshot->name, frec__part_why(r));
		frec__input_close(snapshot);
	}
	return r;
}

int frec__input_open(struct frec_snapshot *ret, const char *path, struct frec_error *reterr)
{
	int r = frec__snapshot_open(ret, path, reterr);

	return r ? r : describe(ret, reterr);
}

int frec__input_open_fd(struct frec_snapshot *ret, int fd, const char *name,
			struct frec_error *reterr)
{
	int r = frec__snapshot_open_fd(ret, fd, name, reterr);

	return r ? r : describe(ret, reterr);
}

void frec__input_close(struct frec_snapshot *snapshot)
{
	frec__eventheader_forget(snapshot);
	frec__snapshot_close(snapshot);
}
