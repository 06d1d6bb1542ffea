/* SPDX-License-Identifier: MIT */
/* Opens files whose names come from strangers: from other processes, or from a snapshot. */
#ifndef FREC_PROTO_REGULAR_FILE_H
#define FREC_PROTO_REGULAR_FILE_H

/*
 * Opens a file for reading, but only if it is a regular file on a file system of files: merely
 * opening a device, or a control file of a pseudo file system such as tracefs, can have side
 * effects. Returns a descriptor, or a negative errno; -EINVAL if it is another kind of file.
 */
int frec__open_regular(const char *path);

/* The same for a file that was opened with O_PATH, which the caller still owns. */
int frec__reopen_regular(int place);

#endif
