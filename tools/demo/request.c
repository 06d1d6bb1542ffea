/* SPDX-License-Identifier: MIT */
/*
 * Parses the head of a request strictly. A request that is not well-formed is refused with the
 * status that says why, because two servers that guess what a client meant may disagree about where
 * the request ends.
 */
#include "http.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void http_print(struct http_reply *reply, const char *format, ...)
{
	size_t room = sizeof(reply->body) - reply->length;
	va_list arguments;
	int wanted;

	va_start(arguments, format);
	wanted = vsnprintf(reply->body + reply->length, room, format, arguments);
	va_end(arguments);
	if (wanted > 0)
		reply->length += (size_t)wanted < room ? (size_t)wanted : room - 1;
}

static int parse_header(struct http_head *head, char *line, bool *host, bool *length)
{
	char *value = strchr(line, ':'), *end;

	if (!value || value == line || strcspn(line, " \t") < (size_t)(value - line))
		return 400;
	*value++ = '\0';
	value += strspn(value, " \t");
	if (!strcasecmp(line, "Host")) {
		*host = true;
	} else if (!strcasecmp(line, "Connection")) {
		if (strcasestr(value, "close"))
			head->keep_alive = false;
		else if (strcasestr(value, "keep-alive"))
			head->keep_alive = true;
	} else if (!strcasecmp(line, "Transfer-Encoding")) {
		return 501;
	} else if (!strcasecmp(line, "Content-Length")) {
		if (*length || *value < '0' || *value > '9')
			return 400;
		*length = true;
		errno = 0;
		head->body_size = strtoul(value, &end, 10);
		if (end[strspn(end, " \t")])
			return 400;
		if (errno || head->body_size > HTTP_REQUEST_MAX)
			return 413;
	}
	return 0;
}

int http_parse(const char *data, size_t size, struct http_head *head, size_t *ret_size)
{
	const char *end = memmem(data, size, "\r\n\r\n", 4);
	bool host = false, length = false;
	char *text = head->text, *line, *query, *target, *version;
	int status;

	*ret_size = 0;
	if (!end)
		return size == HTTP_REQUEST_MAX ? 431 : 0;
	if (memchr(data, '\0', end - data))
		return 400;
	memcpy(text, data, end - data);
	text[end - data] = '\0';
	head->body_size = 0;

	line = strstr(text, "\r\n");
	if (line) {
		*line = '\0';
		line += 2;
	}
	head->request.method = strsep(&text, " ");
	target = strsep(&text, " ");
	version = text;
	if (!version || *target != '/')
		return 400;
	if (strcmp(version, "HTTP/1.1") && strcmp(version, "HTTP/1.0"))
		return strncmp(version, "HTTP/", 5) ? 400 : 505;
	head->keep_alive = version[7] == '1';
	query = strchr(target, '?');
	if (query)
		*query++ = '\0';
	head->request.path = target;
	head->request.query = query ? query : "";

	while (line) {
		char *next = strstr(line, "\r\n");

		if (next) {
			*next = '\0';
			next += 2;
		}
		status = parse_header(head, line, &host, &length);
		if (status)
			return status;
		line = next;
	}
	if (!host && version[7] == '1')
		return 400;
	if (strcmp(head->request.method, "GET") && strcmp(head->request.method, "HEAD") &&
	    strcmp(head->request.method, "POST"))
		return 405;
	*ret_size = end + 4 - data + head->body_size;
	if (*ret_size > HTTP_REQUEST_MAX)
		return 413;
	if (*ret_size > size)
		*ret_size = 0;
	return 0;
}

static int hex(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit |= 0x20;
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool http_parameter(const struct http_request *request, const char *name, char *ret, size_t size)
{
	const char *from = request->query;
	size_t length = strlen(name), used = 0;

	while (strncmp(from, name, length) || from[length] != '=') {
		from = strchr(from, '&');
		if (!from++)
			return false;
	}
	for (from += length + 1; *from && *from != '&'; from++) {
		if (used + 1 >= size)
			return false;
		ret[used] = *from == '+' ? ' ' : *from;
		if (*from == '%') {
			int high = hex(from[1]), low = high < 0 ? -1 : hex(from[2]);

			if (low < 0 || !(high | low))
				return false;
			ret[used] = (char)(high << 4 | low);
			from += 2;
		}
		used++;
	}
	if (!size)
		return false;
	ret[used] = '\0';
	return true;
}

bool http_number(const struct http_request *request, const char *name, unsigned long long max,
		 unsigned long long *ret)
{
	unsigned long long number;
	char text[24], *end;

	if (!http_parameter(request, name, text, sizeof(text)) || *text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || *end || number > max)
		return false;
	*ret = number;
	return true;
}
