/* SPDX-License-Identifier: MIT */
/* CRC-32C (Castagnoli), the checksum of every part of a .frec file. See RFC 3720, appendix B.4. */
#ifndef FREC_PROTO_CRC32C_H
#define FREC_PROTO_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continues the checksum `crc` over `size` more bytes, and returns it. Begin with 0. Any thread may
 * call it. */
uint32_t frec__crc32c(uint32_t crc, const void *data, size_t size);

#endif
