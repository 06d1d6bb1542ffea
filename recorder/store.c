// SPDX-License-Identifier: MIT
// Writing snapshots and counting them.
#include "recorder/store.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "proto/report.h"

int frec__store_write(struct frec_store *store, const struct frec_snapshot_job *job, char *ret_path,
		      struct frec_error *reterr)
{
	char path[PATH_MAX];
	struct frec_error error;
	int r = frec__folder_write(&store->folder, job, job->only_uid, path, &error);

	if (r == -ECANCELED)
		return r;
	if (r) {
		store->failures++;
		frec__report(LOG_ERR, "no snapshot was written: %s", error.message);
		if (reterr)
			*reterr = error;
	} else {
		store->snapshots++;
		memcpy(store->last_path, path, sizeof(path));
		if (ret_path)
			memcpy(ret_path, path, sizeof(path));
	}
	if (store->on_written)
		store->on_written(store->context, job, r ? NULL : path, r);
	return r;
}
