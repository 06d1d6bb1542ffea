# Fuzz targets: fuzz/fuzz_NAME.c, with seeds in fuzz/corpus/NAME. Further arguments are libraries.
# fuzz/run has their options. The ten seconds of a test only prove that a target works and that what
# was once found stays mended; to search for bugs, fuzz/run runs them for longer.
add_custom_target(fuzz_targets)
function(frec_fuzz_target name)
	add_executable(fuzz_${name} fuzz/fuzz_${name}.c fuzz/silent.c)
	target_link_libraries(fuzz_${name} PRIVATE ${ARGN})
	target_include_directories(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR})
	target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
	add_dependencies(fuzz_targets fuzz_${name})
	add_test(NAME fuzz/${name} COMMAND ${Python3_EXECUTABLE}
		${CMAKE_CURRENT_SOURCE_DIR}/fuzz/run --built ${CMAKE_CURRENT_BINARY_DIR}
		--seconds 10 --seed 1 ${name})
	set_tests_properties(fuzz/${name} PROPERTIES TIMEOUT 120 LABELS fuzz)
endfunction()

# What the recorder reads: of services, clients, programs, users' processes, and the children that
# read files for it.
frec_fuzz_target(shm frec_engine flightrec_static)
frec_fuzz_target(requests frec_engine flightrec_static)
frec_fuzz_target(findings frec_engine flightrec_static)
frec_fuzz_target(unwind_answers frec_engine)
frec_fuzz_target(stapsdt frec_engine Threads::Threads)
frec_fuzz_target(format frec_engine)
frec_fuzz_target(proc frec_engine)
frec_fuzz_target(selection frec_engine)
frec_fuzz_target(core frec_engine)
# What a service reads of a recorder.
frec_fuzz_target(control flightrec_static)
# What reads a program to unwind.
foreach(name unwind_cfi unwind_expression unwind_elf)
	frec_fuzz_target(${name} flightrec_unwind)
endforeach()
# What reads a file.
frec_fuzz_target(perf_data flightrec_export frec_engine)
frec_fuzz_target(snapshot frec_pipeline)
frec_fuzz_target(eventheader flightrec_export frec_make_snapshot)
frec_fuzz_target(shape_rules flightrec_export)
