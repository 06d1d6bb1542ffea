# Events by their sites, on this machine's kernel, where we are root. 77 is a skip.
add_test(NAME host/test_usdt_run COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/host/as-root
	env FREC_TOOL=$<TARGET_FILE:flightrec_tool> PYTHONDONTWRITEBYTECODE=1
	${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/vm/test_run.py $<TARGET_FILE:emitter> ${CMAKE_CURRENT_SOURCE_DIR}/data/check_perfetto.py
	--transport usdt)
set_tests_properties(host/test_usdt_run PROPERTIES TIMEOUT 300 LABELS host SKIP_RETURN_CODE 77)
