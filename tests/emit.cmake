# The emitting side of libflightrec.
frec_unit_test(test_payload flightrec_static)
frec_unit_test(test_emit flightrec_static)
foreach(test test_payload test_emit)
	target_include_directories(${test} PRIVATE ${PROJECT_SOURCE_DIR}
		${PROJECT_SOURCE_DIR}/recorder/service/include)
endforeach()

# A host test: a script of host/ and its arguments. 77 is a skip.
function(frec_host_test name)
	add_test(NAME host/${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/host/${name} ${ARGN})
	set_tests_properties(host/${name} PROPERTIES TIMEOUT 300 LABELS host SKIP_RETURN_CODE 77)
endfunction()

if(NOT FREC_SANITIZE)
	frec_host_test(link-matrix $<TARGET_FILE_DIR:flightrec_static>)
	frec_host_test(disabled-path)
	frec_host_test(installed ${PROJECT_BINARY_DIR})
	add_test(NAME host/test_headers COMMAND env FREC_TOOL=$<TARGET_FILE:flightrec_tool>
		PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=${CMAKE_CURRENT_SOURCE_DIR}/vm
		${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/host/test_headers.py
		${PROJECT_SOURCE_DIR}/recorder/service/include $<TARGET_FILE:flightrec_static>)
	set_tests_properties(host/test_headers PROPERTIES TIMEOUT 300 LABELS host
		SKIP_RETURN_CODE 77)
	add_executable(text host/text.c)
	target_link_libraries(text PRIVATE flightrec_static)
	add_test(NAME host/test_text COMMAND env FREC_TOOL=$<TARGET_FILE:flightrec_tool>
		PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=${CMAKE_CURRENT_SOURCE_DIR}/vm
		${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/host/test_text.py
		$<TARGET_FILE:text>)
	set_tests_properties(host/test_text PROPERTIES TIMEOUT 120 LABELS host SKIP_RETURN_CODE 77)
	add_test(NAME host/test_examples COMMAND env PYTHONDONTWRITEBYTECODE=1 ${Python3_EXECUTABLE}
		${CMAKE_CURRENT_SOURCE_DIR}/host/test_examples.py ${PROJECT_BINARY_DIR}
		${PROJECT_SOURCE_DIR}/examples ${CMAKE_CURRENT_SOURCE_DIR}/host/without-rights)
	set_tests_properties(host/test_examples PROPERTIES TIMEOUT 300 LABELS host
		SKIP_RETURN_CODE 77)
	add_test(NAME host/test_symbols COMMAND env PYTHONDONTWRITEBYTECODE=1 ${Python3_EXECUTABLE}
		${CMAKE_CURRENT_SOURCE_DIR}/host/test_symbols.py $<TARGET_FILE:flightrec>
		${PROJECT_SOURCE_DIR})
	set_tests_properties(host/test_symbols PROPERTIES TIMEOUT 120 LABELS host)
endif()

# A test on a kernel with user_events: this machine's or the test VM's.
add_executable(vm_emit vm/emit.c vm/emit_readers.c)
target_link_libraries(vm_emit PRIVATE flightrec Threads::Threads ${CMAKE_DL_LIBS})
add_library(vm_emit_plugin MODULE vm/emit_plugin.c)
target_link_libraries(vm_emit_plugin PRIVATE flightrec)
add_test(NAME vm/emit COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/vm/run -t 300 -- $<TARGET_FILE:vm_emit>
	$<TARGET_FILE:vm_emit_plugin>)
set_tests_properties(vm/emit PROPERTIES TIMEOUT 400 LABELS vm SKIP_RETURN_CODE 77)

# How many instructions an emit takes. The target prints a table. The test has the counts of the
# nearest peer (docs/benchmarks.md) or less, with room for another compiler and C library.
add_executable(emit_instructions bench/emit_instructions.c)
target_link_libraries(emit_instructions PRIVATE flightrec_static)
target_include_directories(emit_instructions PRIVATE ${PROJECT_SOURCE_DIR})
add_custom_target(bench-emit-instructions
	COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/bench/emit-instructions $<TARGET_FILE:emit_instructions>
	VERBATIM USES_TERMINAL)
if(NOT FREC_SANITIZE AND NOT CMAKE_BUILD_TYPE STREQUAL Debug AND
		CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64)
	add_test(NAME host/emit-instructions COMMAND
		${CMAKE_CURRENT_SOURCE_DIR}/bench/emit-instructions
		$<TARGET_FILE:emit_instructions>
		off=3 nothing=43 four_numbers=48 request_done=93 two_strings=175 bytes=50)
	set_tests_properties(host/emit-instructions PROPERTIES TIMEOUT 300 LABELS host
		SKIP_RETURN_CODE 77)
endif()
