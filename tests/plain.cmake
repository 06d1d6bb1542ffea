frec_unit_test(test_process_end frec_engine)

# The recorder without privileges, which the test drops first if it is root. 77 is a skip.
add_executable(plain_service host/plain_service.c)
target_link_libraries(plain_service PRIVATE flightrec_static)

# A sanitizer would change how the services crash.
if(FREC_SANITIZE)
	return()
endif()

foreach(mode user namespaces)
	add_test(NAME host/test_plain_${mode} COMMAND env FREC_TOOL=$<TARGET_FILE:flightrec_tool>
		PYTHONDONTWRITEBYTECODE=1
		${CMAKE_CURRENT_SOURCE_DIR}/host/without-rights
		$<$<STREQUAL:${mode},namespaces>:--namespaces>
		python3 ${CMAKE_CURRENT_SOURCE_DIR}/host/test_plain.py $<TARGET_FILE:emitter>
		$<TARGET_FILE:plain_service>
		COMMAND_EXPAND_LISTS)
	set_tests_properties(host/test_plain_${mode} PROPERTIES TIMEOUT 300 LABELS host
		SKIP_RETURN_CODE 77)
endforeach()

# Fields of triggers, tags and notices: without rights, and as root with a client of another user.
add_executable(fields host/fields.c)
target_link_libraries(fields PRIVATE flightrec_static)
foreach(place without-rights as-root)
	add_test(NAME host/test_fields_${place} COMMAND env FREC_TOOL=$<TARGET_FILE:flightrec_tool>
		PYTHONDONTWRITEBYTECODE=1 ${CMAKE_CURRENT_SOURCE_DIR}/host/${place}
		${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/host/test_fields.py
		$<TARGET_FILE:fields>)
	set_tests_properties(host/test_fields_${place} PROPERTIES TIMEOUT 300 LABELS host
		SKIP_RETURN_CODE 77)
endforeach()

# If root may watch the kernel, one recorder has the kernel's rings and those of services.
add_test(NAME host/test_shm_run COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/host/as-root
	env FREC_TOOL=$<TARGET_FILE:flightrec_tool> PYTHONDONTWRITEBYTECODE=1
	${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/vm/test_run.py $<TARGET_FILE:emitter>
	${CMAKE_CURRENT_SOURCE_DIR}/data/check_perfetto.py
	--transport shm)
set_tests_properties(host/test_shm_run PROPERTIES TIMEOUT 300 LABELS host SKIP_RETURN_CODE 77)

frec_vm_test(test_container $<TARGET_FILE:emitter>)

# Services in namespaces of their own. Needs root.
add_executable(spaced host/spaced.c)
target_link_libraries(spaced PRIVATE flightrec_static Threads::Threads)
foreach(mode user root)
	if(mode STREQUAL user)
		set(as without-rights --namespaces)
	else()
		set(as as-root)
	endif()
	list(POP_FRONT as script)
	add_test(NAME host/test_spaces_${mode}
		COMMAND env FREC_TOOL=$<TARGET_FILE:flightrec_tool> PYTHONDONTWRITEBYTECODE=1
		${CMAKE_CURRENT_SOURCE_DIR}/host/${script} ${as}
		python3 ${CMAKE_CURRENT_SOURCE_DIR}/host/test_spaces.py $<TARGET_FILE:spaced>)
	set_tests_properties(host/test_spaces_${mode} PROPERTIES TIMEOUT 300 LABELS host
		SKIP_RETURN_CODE 77)
endforeach()
set_tests_properties(host/test_spaces_root PROPERTIES RESOURCE_LOCK recorder)
add_test(NAME host/test_signals COMMAND env FREC_TOOL=$<TARGET_FILE:flightrec_tool>
	PYTHONDONTWRITEBYTECODE=1 ${CMAKE_CURRENT_SOURCE_DIR}/host/without-rights
	python3 ${CMAKE_CURRENT_SOURCE_DIR}/host/test_signals.py)
set_tests_properties(host/test_signals PROPERTIES TIMEOUT 120 LABELS host SKIP_RETURN_CODE 77)
