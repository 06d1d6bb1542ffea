# Stacks with events: which kind is chosen, and what is recorded.
foreach(test history stack_choice)
	frec_unit_test(test_${test} frec_engine)
	target_include_directories(test_${test} PRIVATE ${PROJECT_SOURCE_DIR})
endforeach()

if(CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64) # the test relies on its calling convention
	add_executable(stacked host/stacked.c)
	target_link_libraries(stacked PRIVATE flightrec_static Threads::Threads)
	target_include_directories(stacked PRIVATE ${PROJECT_SOURCE_DIR})
	target_compile_options(stacked PRIVATE -fno-omit-frame-pointer -fno-optimize-sibling-calls)
	add_executable(record_stacks host/record_stacks.c)
	target_link_libraries(record_stacks PRIVATE flightrec_export frec_engine)
	target_include_directories(record_stacks PRIVATE ${PROJECT_SOURCE_DIR})
	set(test_stacks ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/host/test_stacks.py
		$<TARGET_FILE:flightrec_tool>
		$<TARGET_FILE:stacked> $<TARGET_FILE:record_stacks> ${CMAKE_CURRENT_SOURCE_DIR}/vm)
	if(NOT FREC_SANITIZE) # a sanitizer's frames are not the program's
		add_test(NAME host/test_stacks COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/host/as-root
			${test_stacks} usdt)
		set_tests_properties(host/test_stacks PROPERTIES TIMEOUT 300 LABELS host
			SKIP_RETURN_CODE 77
			ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
		add_test(NAME vm/test_stacks COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/vm/on-kernel
			-t 400 --
			env PYTHONDONTWRITEBYTECODE=1 FREC_REQUIRE_KERNEL=1 ${test_stacks}
			user_events fp+kernel dwarf,bytes=16384)
		set_tests_properties(vm/test_stacks PROPERTIES TIMEOUT 500 LABELS vm
			SKIP_RETURN_CODE 77)
		add_test(NAME host/test_shm_stacks COMMAND ${Python3_EXECUTABLE}
			${CMAKE_CURRENT_SOURCE_DIR}/host/test_shm_stacks.py
			$<TARGET_FILE:flightrec_tool> $<TARGET_FILE:stacked>
			$<TARGET_FILE:record_stacks> ${CMAKE_CURRENT_SOURCE_DIR}/vm)
		set_tests_properties(host/test_shm_stacks PROPERTIES TIMEOUT 120 LABELS host
			ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
	endif()
endif()
