# Tests of export on snapshots that data/make_snapshot.c makes.
add_library(frec_make_snapshot STATIC data/make_snapshot.c data/make_eventheader.c)
target_link_libraries(frec_make_snapshot PUBLIC frec_proto PRIVATE PkgConfig::ZSTD)
add_executable(make_snapshot data/make_snapshot_main.c)
target_link_libraries(make_snapshot PRIVATE frec_make_snapshot)
add_library(frec_pipeline STATIC data/pipeline.c)
target_link_libraries(frec_pipeline PUBLIC flightrec_export PRIVATE frec_make_snapshot)

# Files that cost their reader a lot.
add_library(frec_make_hostile STATIC attack/make_hostile.c)
target_link_libraries(frec_make_hostile PUBLIC frec_proto frec_make_snapshot
	PRIVATE PkgConfig::ZSTD)
add_executable(make_hostile attack/make_hostile_main.c)
target_link_libraries(make_hostile PRIVATE frec_make_hostile)

find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME host/attack_table COMMAND Python3::Interpreter
	${CMAKE_CURRENT_SOURCE_DIR}/attack/table.py ${PROJECT_SOURCE_DIR})
set_tests_properties(host/attack_table PROPERTIES TIMEOUT 60 LABELS host)
add_test(NAME host/attack_outputs COMMAND Python3::Interpreter
	${CMAKE_CURRENT_SOURCE_DIR}/attack/test_outputs.py $<TARGET_FILE:flightrec_tool>
	$<TARGET_FILE:make_snapshot> $<TARGET_FILE:make_hostile>)
set_tests_properties(host/attack_outputs PROPERTIES TIMEOUT 120 LABELS host SKIP_RETURN_CODE 77)
# A sanitizer takes memory of its own, and needs more than the sandbox leaves.
if(NOT FREC_SANITIZE)
	add_library(hijack MODULE attack/hijack.c)
	add_test(NAME host/attack_sandbox COMMAND Python3::Interpreter
		${CMAKE_CURRENT_SOURCE_DIR}/attack/test_sandbox.py
		$<TARGET_FILE:flightrec_tool> $<TARGET_FILE:make_snapshot> $<TARGET_FILE:hijack>)
	set_tests_properties(host/attack_sandbox PROPERTIES TIMEOUT 60 LABELS host)
	add_test(NAME host/attack_snapshots COMMAND Python3::Interpreter
		${CMAKE_CURRENT_SOURCE_DIR}/attack/test_snapshots.py
		$<TARGET_FILE:flightrec_tool> $<TARGET_FILE:make_hostile>)
	set_tests_properties(host/attack_snapshots PROPERTIES TIMEOUT 600 LABELS host)
endif()

frec_unit_test(test_export_text flightrec_export m)
frec_unit_test(test_export_fields flightrec_export)
frec_unit_test(test_export_wire flightrec_export)
frec_unit_test(test_export_merge flightrec_export frec_make_snapshot frec_make_hostile)
frec_unit_test(test_spool flightrec_export)
frec_unit_test(test_compress flightrec_export PkgConfig::ZLIB PkgConfig::ZSTD)
frec_unit_test(test_otlp_pack flightrec_export frec_otlp)
frec_unit_test(test_perfetto_pack flightrec_export frec_make_snapshot frec_perfetto)
frec_unit_test(test_export_hostile frec_pipeline frec_make_snapshot frec_make_hostile)
set_tests_properties(unit/test_export_hostile PROPERTIES TIMEOUT 300)

add_test(NAME host/test_export COMMAND Python3::Interpreter
	${CMAKE_CURRENT_SOURCE_DIR}/host/test_export.py
	$<TARGET_FILE:flightrec_tool> $<TARGET_FILE:make_snapshot>)
set_tests_properties(host/test_export PROPERTIES TIMEOUT 300 LABELS host)
foreach(format text csv chrome otlp ctf perf firefox folded pprof)
	add_test(NAME host/test_format_${format} COMMAND Python3::Interpreter
		${CMAKE_CURRENT_SOURCE_DIR}/host/test_formats.py
		${format} $<TARGET_FILE:flightrec_tool> $<TARGET_FILE:make_snapshot>)
	set_tests_properties(host/test_format_${format} PROPERTIES TIMEOUT 300 LABELS host
		SKIP_RETURN_CODE 77)
endforeach()
foreach(mode behaviour schema traces)
	add_test(NAME host/test_otlp_${mode} COMMAND Python3::Interpreter
		${CMAKE_CURRENT_SOURCE_DIR}/host/test_otlp.py
		${mode} $<TARGET_FILE:flightrec_tool> $<TARGET_FILE:make_snapshot>
		$<TARGET_FILE:pair>)
	set_tests_properties(host/test_otlp_${mode} PROPERTIES TIMEOUT 300 LABELS host
		SKIP_RETURN_CODE 77)
endforeach()
# Sanitizers keep freed memory, so its use cannot be measured with them.
if(NOT FREC_SANITIZE)
	add_test(NAME host/test_export_memory COMMAND Python3::Interpreter
		${CMAKE_CURRENT_SOURCE_DIR}/host/test_export.py $<TARGET_FILE:flightrec_tool>
		$<TARGET_FILE:make_snapshot> memory)
	set_tests_properties(host/test_export_memory PROPERTIES TIMEOUT 300 LABELS host)
endif()
