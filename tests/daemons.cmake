# Services that become daemons, and keepers that are started in odd states.
add_executable(daemons host/daemons.c)
target_link_libraries(daemons PRIVATE flightrec_static)

frec_unit_test(test_limits frec_engine)

# A sanitizer would change how the services crash.
if(FREC_SANITIZE)
	return()
endif()

set(environment env FREC_TOOL=$<TARGET_FILE:flightrec_tool> PYTHONDONTWRITEBYTECODE=1)
foreach(test daemons keeper)
	foreach(mode user namespaces)
		add_test(NAME host/test_${test}_${mode} COMMAND ${environment}
			${CMAKE_CURRENT_SOURCE_DIR}/host/without-rights
			$<$<STREQUAL:${mode},namespaces>:--namespaces>
			python3 ${CMAKE_CURRENT_SOURCE_DIR}/host/test_${test}.py
			$<TARGET_FILE:daemons> shm
			COMMAND_EXPAND_LISTS)
	endforeach()
	add_test(NAME host/test_${test}_root COMMAND ${environment}
		${CMAKE_CURRENT_SOURCE_DIR}/host/as-root ${Python3_EXECUTABLE}
		${CMAKE_CURRENT_SOURCE_DIR}/host/test_${test}.py $<TARGET_FILE:daemons> shm usdt)
	foreach(mode user namespaces root)
		set_tests_properties(host/test_${test}_${mode} PROPERTIES TIMEOUT 300 LABELS host
			SKIP_RETURN_CODE 77 RESOURCE_LOCK recorder)
	endforeach()
endforeach()
