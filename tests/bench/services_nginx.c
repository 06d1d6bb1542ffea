/* SPDX-License-Identifier: MIT */
/* A module of nginx that emits an event when a request has been read, and another when the request
 * is done. */
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "services_events.h"

static struct service_text text(const ngx_str_t *string)
{
	return (struct service_text){(const char *)string->data, string->len};
}

static ngx_int_t started(ngx_http_request_t *request)
{
	service_start(request->connection->number, text(&request->method_name),
		      text(&request->uri));
	return NGX_DECLINED;
}

static ngx_int_t done(ngx_http_request_t *request)
{
	/* nginx's own clock, which its access log uses too */
	const ngx_time_t *now = ngx_timeofday();
	ngx_msec_int_t latency = (ngx_msec_int_t)(now->sec - request->start_sec) * 1000 +
				 (ngx_msec_int_t)(now->msec - request->start_msec);

	service_done(request->connection->number, text(&request->method_name), text(&request->uri),
		     (uint32_t)request->headers_out.status, (uint64_t)latency);
	return NGX_OK;
}

static ngx_int_t add(ngx_http_core_main_conf_t *core, ngx_uint_t phase, ngx_http_handler_pt handler)
{
	ngx_http_handler_pt *place = ngx_array_push(&core->phases[phase].handlers);

	if (!place)
		return NGX_ERROR;
	*place = handler;
	return NGX_OK;
}

static ngx_int_t init(ngx_conf_t *conf)
{
	ngx_http_core_main_conf_t *core =
		ngx_http_conf_get_module_main_conf(conf, ngx_http_core_module);

	return add(core, NGX_HTTP_POST_READ_PHASE, started) == NGX_OK
		       ? add(core, NGX_HTTP_LOG_PHASE, done)
		       : NGX_ERROR;
}

static ngx_http_module_t context = {.postconfiguration = init};

ngx_module_t services_nginx_module = {NGX_MODULE_V1, .ctx = &context, .type = NGX_HTTP_MODULE,
				      NGX_MODULE_V1_PADDING};
