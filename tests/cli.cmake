# The commands doctor, events, status and trigger, and the agreement of man pages, schema and tool.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME host/test_cli COMMAND Python3::Interpreter
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_cli.py
	$<TARGET_FILE:flightrec_tool> $<TARGET_FILE:emitter> $<TARGET_FILE:vm_emit>)
set_tests_properties(host/test_cli PROPERTIES TIMEOUT 120 LABELS host)

add_executable(describing vm/describing.c)
target_link_libraries(describing PRIVATE frec_make_snapshot)
frec_vm_test(test_events $<TARGET_FILE:emitter> $<TARGET_FILE:describing>)
add_test(NAME host/test_man COMMAND Python3::Interpreter
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_man.py
	$<TARGET_FILE:flightrec_tool>)
set_tests_properties(host/test_man PROPERTIES TIMEOUT 120 LABELS host)
add_test(NAME host/test_terminal COMMAND Python3::Interpreter
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_terminal.py
	$<TARGET_FILE:flightrec_tool> $<TARGET_FILE:make_snapshot>)
set_tests_properties(host/test_terminal PROPERTIES TIMEOUT 120 LABELS host)
add_test(NAME host/test_completion COMMAND Python3::Interpreter
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_completion.py
	$<TARGET_FILE:flightrec_tool>)
set_tests_properties(host/test_completion PROPERTIES TIMEOUT 120 LABELS host)
add_test(NAME host/test_schema COMMAND Python3::Interpreter
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_schema.py
	$<TARGET_FILE:flightrec_tool> $<TARGET_FILE:make_snapshot> $<TARGET_FILE:shopd>)
set_tests_properties(host/test_schema PROPERTIES TIMEOUT 300 LABELS host SKIP_RETURN_CODE 77)
add_test(NAME host/test_exit COMMAND Python3::Interpreter
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_exit.py
	$<TARGET_FILE:flightrec_tool> $<TARGET_FILE:make_snapshot>)
set_tests_properties(host/test_exit PROPERTIES TIMEOUT 120 LABELS host)

# Formatting, line lengths and spelling of the whole tree.
add_test(NAME host/test_style COMMAND ${Python3_EXECUTABLE}
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_style.py ${PROJECT_SOURCE_DIR})
set_tests_properties(host/test_style PROPERTIES TIMEOUT 120 LABELS host SKIP_RETURN_CODE 77)
# Which room may include which other.
add_test(NAME host/test_rooms COMMAND ${Python3_EXECUTABLE}
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_rooms.py ${PROJECT_SOURCE_DIR})
set_tests_properties(host/test_rooms PROPERTIES TIMEOUT 120 LABELS host)
