// SPDX-License-Identifier: MIT
// Emits texts of known length and byte arrays for test_text.py, and exits with 3.
#include <flightrec/event.h>

FREC_EVENT(text, request, FREC_TEXT(key), FREC_BYTES(head), FREC_BYTES(body), FREC_TEXT(message));

int main(void)
{
	// Like a string of nginx: unsigned characters without a NUL at the end.
	static const unsigned char line[] = "GET /needle-in-text HTTP/1.1\r\n";
	static const char odd[] = "odd\0needle\xff\x1b[1m";

	frec_text_request(line + 4, 15, "printable-needle", 16, "\x01\x02needle", 8, "hello", 5);
	frec_text_request(odd, sizeof(odd) - 1, "caf\xc3\xa9-needle\n", 13, "", 0, NULL, 0);
	return 3;
}
