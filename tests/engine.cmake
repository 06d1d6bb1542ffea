# The parts of the recorder engine, without a kernel that records.
foreach(test catalog control deaths format processes ring)
	frec_unit_test(test_${test} frec_engine)
endforeach()
frec_unit_test(test_snapshot frec_pipeline frec_engine)
# Declares events of its own, as a service does.
frec_unit_test(test_declarations frec_engine flightrec_static)

# Records the machine's own tracepoints as root. 77 is a skip.
add_test(NAME host/test_record COMMAND ${Python3_EXECUTABLE}
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_record.py
	$<TARGET_FILE:flightrec_tool>)
set_tests_properties(host/test_record PROPERTIES TIMEOUT 300 LABELS host SKIP_RETURN_CODE 77)
