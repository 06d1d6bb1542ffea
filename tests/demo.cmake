# shopd by itself: it serves, refuses malformed requests, and crashes on request, whatever the
# kernel can record.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
if(TARGET shopd)
	add_test(NAME host/shopd_serve
		COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/host/test_shopd.py
		$<TARGET_FILE:shopd> serve)
	set_tests_properties(host/shopd_serve PROPERTIES TIMEOUT 300 LABELS host)
	# A sanitizer's own handlers turn a crash into an exit.
	if(NOT FREC_SANITIZE)
		add_test(NAME host/shopd_crash
			COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/host/test_shopd.py
			$<TARGET_FILE:shopd> crash)
		set_tests_properties(host/shopd_crash PROPERTIES TIMEOUT 300 LABELS host)
		add_test(NAME vm/shopd_oom
			COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/vm/run -t 240 --
			${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/host/test_shopd.py
			$<TARGET_FILE:shopd> oom)
		set_tests_properties(vm/shopd_oom PROPERTIES TIMEOUT 300 LABELS vm
			SKIP_RETURN_CODE 77)
	endif()
endif()
