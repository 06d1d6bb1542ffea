/* SPDX-License-Identifier: MIT */
/* The ways in which events of services reach a recorder. */
#ifndef FREC_RECORDER_SOURCES_TRANSPORT_H
#define FREC_RECORDER_SOURCES_TRANSPORT_H

/* FREC_TRANSPORT_AUTO selects the first of the other transports that works on this machine. */
enum frec_transport {
	FREC_TRANSPORT_AUTO,
	FREC_TRANSPORT_USER_EVENTS,
	FREC_TRANSPORT_USDT,
	FREC_TRANSPORT_SHM,
	FREC_TRANSPORT_COUNT
};

/* "auto", "user_events", ... */
extern const char *const frec__transport_names[FREC_TRANSPORT_COUNT];

#endif
