# doctor, and recording on a machine on which tracefs is not mounted. 77 is a skip.
add_test(NAME host/test_detached COMMAND ${Python3_EXECUTABLE}
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_detached.py
	$<TARGET_FILE:flightrec_tool>)
set_tests_properties(host/test_detached PROPERTIES TIMEOUT 120 LABELS host SKIP_RETURN_CODE 77)
# A sanitizer needs rights, system calls and memory that the test takes away.
if(NOT FREC_SANITIZE)
	add_test(NAME host/test_doctor COMMAND ${Python3_EXECUTABLE}
		${CMAKE_CURRENT_SOURCE_DIR}/host/test_doctor.py
		$<TARGET_FILE:flightrec_tool>)
	set_tests_properties(host/test_doctor PROPERTIES TIMEOUT 120 LABELS host)
endif()
