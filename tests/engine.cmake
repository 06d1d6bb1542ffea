# The parts of the recorder engine, without a kernel that records.
foreach(test catalog control crash_records deaths file_reader format processes repeats ring
	share transport worker)
	frec_unit_test(test_${test} frec_engine)
endforeach()
frec_unit_test(test_snapshot frec_pipeline frec_engine)
# With the library's public headers.
frec_unit_test(test_requests frec_engine flightrec_static)
# Declares events of its own, as a service does.
frec_unit_test(test_declarations frec_engine flightrec_static)

# Records the machine's own tracepoints as root. 77 is a skip.
add_test(NAME host/test_record COMMAND ${Python3_EXECUTABLE}
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_record.py
	$<TARGET_FILE:flightrec_tool>)
set_tests_properties(host/test_record PROPERTIES TIMEOUT 300 LABELS host SKIP_RETURN_CODE 77)

# Many deaths and many triggers at once. A sanitizer would change how the processes die.
if(NOT FREC_SANITIZE)
	add_executable(many host/many.c)
	target_link_libraries(many PRIVATE flightrec_static)
	add_test(NAME host/test_many COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/host/as-root
		env FREC_TOOL=$<TARGET_FILE:flightrec_tool> PYTHONDONTWRITEBYTECODE=1
		${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/host/test_many.py
		$<TARGET_FILE:many>)
	set_tests_properties(host/test_many PROPERTIES TIMEOUT 300 LABELS host SKIP_RETURN_CODE 77)
endif()
