/* SPDX-License-Identifier: MIT */
/* The parts of the page before and after its data. embed.cmake generates them from the files of
 * this folder. */
#ifndef FREC_EXPORT_HTML_PIECES_H
#define FREC_EXPORT_HTML_PIECES_H

#include <stddef.h>

extern const unsigned char frec__html_head[], frec__html_tail[];
extern const size_t frec__html_head_size, frec__html_tail_size;

#endif
