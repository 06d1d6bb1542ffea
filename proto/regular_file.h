/* SPDX-License-Identifier: MIT */
/* Opens files whose names come from strangers: from other processes, or from a snapshot. */
#ifndef FREC_PROTO_REGULAR_FILE_H
#define FREC_PROTO_REGULAR_FILE_H

/*
 * Opens a file for reading, but only if it is a regular file and not on a pseudo file system such
 * as tracefs: merely opening a device, or a control file of a pseudo file system, can have side
 * effects. Returns a descriptor, or a negative errno; -EINVAL if it is another kind of file.
 */
int frec__open_regular(const char *path);

/* Opens, under the same conditions, the file that the caller has opened with O_PATH as `place`.
 * `place` stays open and the caller's. Returns the same as frec__open_regular(). */
int frec__reopen_regular(int place);

#endif
