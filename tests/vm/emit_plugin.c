// SPDX-License-Identifier: MIT
// A library with events, which the emit test loads and unloads.
#include "emit_events.h"

FREC_EVENT(plugin, loaded, FREC_U32(number));
// The program declares this event with other fields.
FREC_EVENT(vm, clash, FREC_STR(words));

__attribute__((visibility("default"))) uint32_t *plugin_enable_word(void);
__attribute__((visibility("default"))) int plugin_emit(void);
__attribute__((visibility("default"))) void (*plugin_at_unload)(void);

__attribute__((destructor)) static void unload(void)
{
	if (plugin_at_unload)
		plugin_at_unload();
}

uint32_t *plugin_enable_word(void)
{
	return &frec__event_plugin_loaded.enabled;
}

int plugin_emit(void)
{
	int r = frec_vm_both("plugin");

	r = r ? r : frec_vm_clash("other fields");
	return r ? r : frec_plugin_loaded(7);
}
