// SPDX-License-Identifier: MIT
// Writes packets, and the descriptors of tracks, which come before the first event on a track.
#include "export/perfetto/trace.h"

#include <errno.h>

uint8_t *frec__perfetto_room(struct frec_perfetto *perfetto, size_t size, struct frec_error *reterr)
{
	uint8_t *data = frec__packed_room(&perfetto->packed, size);

	if (!data)
		frec__error(reterr, -ENOMEM, "out of memory");
	return data;
}

int frec__perfetto_flush(struct frec_perfetto *perfetto, const uint8_t *end,
			 struct frec_error *reterr)
{
	if (perfetto->arena.failed)
		return frec__error(reterr, -ENOMEM, "out of memory");
	return frec__output_write(perfetto->context->output, perfetto->packed.data,
				  (size_t)(end - perfetto->packed.data), reterr);
}

int frec__perfetto_write(struct frec_perfetto *perfetto, Perfetto__Protos__TracePacket *packet,
			 struct frec_error *reterr)
{
	Perfetto__Protos__Trace trace = PERFETTO__PROTOS__TRACE__INIT;
	int r;

	if (!packet->ftrace_events) {
		packet->has_trusted_packet_sequence_id = true;
		packet->trusted_packet_sequence_id =
			FREC_PERFETTO_SEQUENCE + (uint32_t)perfetto->host->index;
		if (!packet->has_sequence_flags) {
			packet->has_sequence_flags = true;
			packet->sequence_flags = FREC_PERFETTO_NEEDS_STATE;
		}
	}
	packet->has_machine_id = perfetto->host->index != 0;
	packet->machine_id = (uint32_t)perfetto->host->index;
	trace.packet = &packet;
	trace.n_packet = 1;
	if (perfetto->arena.failed)
		return frec__error(reterr, -ENOMEM, "out of memory");
	r = frec__packed_write(&perfetto->packed, &trace.base, perfetto->context->output, reterr);
	frec__arena_reset(&perfetto->arena);
	return r;
}

int frec__perfetto_is_new(struct frec_perfetto *perfetto, uint64_t uuid)
{
	bool is_new;

	return frec__table_put(&perfetto->described, uuid, &is_new) ? is_new : -ENOMEM;
}

static int describe_thread(struct frec_perfetto *perfetto, uint64_t uuid, uint32_t pid,
			   uint32_t tid, const struct frec_process_entry *who,
			   struct frec_error *reterr)
{
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__TrackDescriptor track = PERFETTO__PROTOS__TRACK_DESCRIPTOR__INIT;
	Perfetto__Protos__ThreadDescriptor thread = PERFETTO__PROTOS__THREAD_DESCRIPTOR__INIT;
	ProtobufCBinaryData name = frec__process_entry_thread_name(who);

	track.has_uuid = true;
	track.uuid = uuid;
	// Events of unknown threads share a track that belongs to no thread.
	if (tid == UINT32_MAX) {
		track.name = "unknown thread";
	} else {
		thread.has_pid = thread.has_tid = true;
		thread.pid = (int32_t)(who ? who->process->pid : pid == UINT32_MAX ? tid : pid);
		thread.tid = tid;
		if (name.len)
			thread.thread_name =
				frec__arena_utf8(&perfetto->arena, name.data, name.len, "");
		track.thread = &thread;
	}
	packet.track_descriptor = &track;
	return frec__perfetto_write(perfetto, &packet, reterr);
}

int frec__perfetto_track(struct frec_perfetto *perfetto, uint32_t pid, uint32_t tid,
			 const struct frec_process_entry *who, uint64_t *ret_uuid,
			 struct frec_error *reterr)
{
	int is_new;

	*ret_uuid = frec__perfetto_uuid(perfetto->host, FREC_PERFETTO_THREAD, tid);
	is_new = frec__perfetto_is_new(perfetto, *ret_uuid);
	if (is_new < 0)
		return frec__error(reterr, is_new, "out of memory");
	return is_new ? describe_thread(perfetto, *ret_uuid, pid, tid, who, reterr) : 0;
}

int frec__perfetto_end_slice(struct frec_perfetto *perfetto, uint64_t time, uint64_t track,
			     struct frec_error *reterr)
{
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__TrackEvent end = PERFETTO__PROTOS__TRACK_EVENT__INIT;

	end.has_track_uuid = end.has_type = true;
	end.track_uuid = track;
	end.type = PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_SLICE_END;
	packet.has_timestamp = true;
	packet.timestamp = time;
	packet.track_event = &end;
	return frec__perfetto_write(perfetto, &packet, reterr);
}
