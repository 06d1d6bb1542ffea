# Stacks that the recorder unwinds while it writes a file.
frec_unit_test(test_unwound frec_engine frec_make_elf)
frec_unit_test(test_snapshot_stacks frec_pipeline frec_engine frec_make_elf PkgConfig::ZSTD)
frec_unit_test(test_kernel_names frec_engine)
frec_unit_test(test_build_ids frec_engine)
frec_unit_test(test_held_files frec_engine)
target_link_options(test_build_ids PRIVATE
	-Wl,--build-id=0x0102030405060708090a0b0c0d0e0f1011121314)
set_tests_properties(unit/test_unwound unit/test_snapshot_stacks PROPERTIES
	SKIP_RETURN_CODE 77)

# They use this machine's kernel, as root, or skip with 77.
if(NOT FREC_SANITIZE) # the frames would be those of the sanitizer
	add_test(NAME host/test_unwound
		COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/host/as-root ${Python3_EXECUTABLE}
		${CMAKE_CURRENT_SOURCE_DIR}/host/test_unwound.py $<TARGET_FILE:flightrec_tool>
		$<IF:$<TARGET_EXISTS:stacked>,$<TARGET_FILE:stacked>,->
		${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/vm)
	set_tests_properties(host/test_unwound PROPERTIES
		TIMEOUT 300 LABELS host SKIP_RETURN_CODE 77
		RESOURCE_LOCK recorder ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()
