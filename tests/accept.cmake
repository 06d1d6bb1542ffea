# Acceptance tests of the transports: the same scripts on this machine's kernel with usdt and shm,
# with and without rights, and with user_events on a kernel that has them. 77 is a skip.
add_executable(kinds accept/kinds.c)
add_executable(puppet accept/puppet.c)
add_executable(locked accept/locked.c)
add_executable(mistakes accept/mistakes.c)
foreach(program kinds puppet locked mistakes)
	target_link_libraries(${program} PRIVATE flightrec_static Threads::Threads)
endforeach()
add_executable(unchanged_plain accept/unchanged.c)
target_compile_definitions(unchanged_plain PRIVATE PLAIN)
add_executable(unchanged accept/unchanged.c)
target_link_libraries(unchanged PRIVATE flightrec_static)
add_library(asks_library SHARED accept/asks_library.c)
target_link_libraries(asks_library PRIVATE flightrec)
# The file that emits is not the first one.
add_executable(asks accept/asks_file.c accept/asks_other.c accept/asks_cxx.cc accept/asks.c)
target_link_libraries(asks PRIVATE asks_library flightrec)

# A sanitizer would change how the services crash.
if(FREC_SANITIZE)
	return()
endif()

set(accept_environment env FREC_TOOL=$<TARGET_FILE:flightrec_tool> PYTHONDONTWRITEBYTECODE=1
	PYTHONPATH=${CMAKE_CURRENT_SOURCE_DIR}/vm:${CMAKE_CURRENT_SOURCE_DIR}/accept
	${Python3_EXECUTABLE})

# frec_accept_test(NAME PLACE SCRIPT ARGUMENT...): on this machine, in an environment of accept/in.
function(frec_accept_test name place script)
	add_test(NAME host/${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/accept/in ${place}
		${accept_environment} ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${ARGN})
	# A recorder of root records the processes of other tests, too, and keeps their events on.
	set_tests_properties(host/${name} PROPERTIES TIMEOUT 300 LABELS host SKIP_RETURN_CODE 77
		RESOURCE_LOCK recorder)
endfunction()

# The same as root on a kernel with user_events.
function(frec_accept_vm_test name script)
	add_test(NAME vm/${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/vm/on-kernel -t 540 --
		${CMAKE_CURRENT_SOURCE_DIR}/accept/in root
		${accept_environment} ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${ARGN})
	set_tests_properties(vm/${name} PROPERTIES TIMEOUT 600 LABELS vm SKIP_RETURN_CODE 77)
endfunction()

# Each way to crash.
set(shopd vm/test_shopd.py $<TARGET_FILE:shopd>)
frec_accept_test(shopd_usdt root ${shopd} usdt)
frec_accept_test(shopd_shm root ${shopd} shm)
frec_accept_test(shopd_shm_user user ${shopd} shm)
frec_accept_test(shopd_shm_container container ${shopd} shm)
frec_accept_vm_test(test_shopd ${shopd} user_events)
frec_accept_test(first_request root accept/test_first_request.py $<TARGET_FILE:shopd>)
frec_accept_test(owned root accept/test_owned.py $<TARGET_FILE:puppet>)

# The same events by every transport.
set(same accept/test_same.py $<TARGET_FILE:kinds>
	${CMAKE_CURRENT_SOURCE_DIR}/data/golden/kinds.jsonl)
frec_accept_test(same root ${same} usdt shm)
frec_accept_test(same_user user ${same} shm)
frec_accept_vm_test(same ${same} user_events usdt shm)

# The transport that is taken by default.
set(default accept/test_default.py $<TARGET_FILE:puppet>)
frec_accept_test(default root ${default})
frec_accept_test(default_user user ${default})

# A recorder that has nothing to do. It would wake if other tests started processes.
set(idle accept/test_idle.py $<TARGET_FILE:puppet> $<TARGET_FILE:vm_emit_plugin>)
frec_accept_test(idle root ${idle} usdt shm)
set_tests_properties(host/idle PROPERTIES RUN_SERIAL TRUE)
frec_accept_vm_test(idle ${idle} user_events usdt shm)

# Other listeners beside a recorder, and two recorders.
frec_accept_test(listeners root accept/test_listeners.py $<TARGET_FILE:shopd> $<TARGET_FILE:puppet>)
frec_accept_test(two root accept/test_two.py $<TARGET_FILE:puppet> usdt shm)
frec_accept_vm_test(two accept/test_two.py $<TARGET_FILE:puppet> user_events usdt shm)

# A service that has entered seccomp.
set(locked accept/test_locked.py $<TARGET_FILE:locked>)
frec_accept_test(locked root ${locked} usdt shm)

# Strings and byte arrays that cannot be read.
set(mistakes accept/test_mistakes.py $<TARGET_FILE:mistakes>)
frec_accept_test(mistakes root ${mistakes} usdt shm)

# What a service does, with and without flightrec.
set(unchanged accept/test_unchanged.py $<TARGET_FILE:unchanged_plain> $<TARGET_FILE:unchanged>)
frec_accept_test(unchanged root ${unchanged} usdt shm)
frec_accept_test(unchanged_user user ${unchanged} shm)

# These three on a kernel with user_events.
list(TRANSFORM locked PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ AT 0)
list(TRANSFORM mistakes PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ AT 0)
list(TRANSFORM unchanged PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ AT 0)
frec_accept_vm_test(harmless accept/in_turn.py ${locked} user_events -- ${mistakes} user_events
	-- ${unchanged} user_events)

# Files that ask for an event and do not emit it.
frec_accept_test(asks root accept/test_asks.py $<TARGET_FILE:asks> usdt shm)
frec_accept_vm_test(asks accept/test_asks.py $<TARGET_FILE:asks> user_events)

# Faults.
set(faults accept/test_faults.py $<TARGET_FILE:puppet> $<TARGET_FILE:kinds> $<TARGET_FILE:shopd>)
frec_accept_test(faults_usdt root ${faults} usdt 10000)
frec_accept_test(faults_shm_user user ${faults} shm 10000)
frec_accept_test(faults_shm_container container ${faults} shm 1000)
frec_accept_vm_test(faults ${faults} user_events 200)
frec_accept_test(refused_user user accept/test_refused.py $<TARGET_FILE:puppet>)
frec_accept_test(refused_container container accept/test_refused.py $<TARGET_FILE:puppet>)

# Snapshots in a row while two threads emit as fast as they can, of small rings that always wrap and
# of large ones that overlap.
foreach(kind overwritten overlap)
	set(numbers_overwritten 1000 512 0 0)
	set(numbers_overlap 100 512 0 100)
	add_test(NAME host/stress_usdt_${kind} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/accept/in root
		$<TARGET_FILE:stress> $<TARGET_FILE:emitter>
		${CMAKE_CURRENT_BINARY_DIR}/stress_usdt_${kind} ${numbers_${kind}} usdt)
	set_tests_properties(host/stress_usdt_${kind} PROPERTIES TIMEOUT 300 LABELS host
		SKIP_RETURN_CODE 77
		RESOURCE_LOCK recorder)
endforeach()

# Attacks: user nobody against a recorder of root.
frec_accept_test(attack_files root attack/test_files.py $<TARGET_FILE:puppet>)
frec_accept_test(attack_whose root attack/test_whose.py $<TARGET_FILE:puppet> usdt)
frec_accept_vm_test(attack_whose attack/test_whose.py $<TARGET_FILE:puppet> user_events)
add_test(NAME vm/attack_whose_core COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/vm/run -t 540 --
	env FREC_OWN_KERNEL=1 ${accept_environment}
	${CMAKE_CURRENT_SOURCE_DIR}/attack/test_whose_core.py $<TARGET_FILE:core_crash>)
set_tests_properties(vm/attack_whose_core PROPERTIES TIMEOUT 600 LABELS vm SKIP_RETURN_CODE 77)
add_library(wait_in_elf MODULE attack/wait_in_elf.c)
target_link_libraries(wait_in_elf PRIVATE ${CMAKE_DL_LIBS})
add_test(NAME vm/attack_rights_core COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/vm/run -t 300 --
	env FREC_OWN_KERNEL=1 ${accept_environment}
	${CMAKE_CURRENT_SOURCE_DIR}/attack/test_rights.py $<TARGET_FILE:puppet>
	$<TARGET_FILE:make_snapshot> $<TARGET_FILE:wait_in_elf>)
set_tests_properties(vm/attack_rights_core PROPERTIES TIMEOUT 360 LABELS vm SKIP_RETURN_CODE 77)
add_executable(impostor attack/impostor.c)
target_link_libraries(impostor PRIVATE flightrec_static)
target_include_directories(impostor PRIVATE ${PROJECT_SOURCE_DIR})
frec_accept_test(attack_claims root attack/test_claims.py $<TARGET_FILE:impostor>)
add_executable(storm attack/storm.c)
target_link_libraries(storm PRIVATE flightrec_static Threads::Threads)
foreach(transport usdt shm)
	frec_accept_test(attack_shares_${transport} root attack/test_shares.py ${transport}
		$<TARGET_FILE:puppet> $<TARGET_FILE:storm>)
	set_tests_properties(host/attack_shares_${transport} PROPERTIES RUN_SERIAL TRUE)
endforeach()
frec_accept_test(attack_rights root attack/test_rights.py $<TARGET_FILE:puppet>
	$<TARGET_FILE:make_snapshot> $<TARGET_FILE:wait_in_elf>)
frec_accept_test(attack_failures_record root attack/test_failures_record.py $<TARGET_FILE:puppet>
	$<TARGET_FILE:fail_nth>)

# A minute of services of root that crash. With the hostile user, and for longer, it is run by hand.
add_executable(soak_service attack/soak_service.c)
target_link_libraries(soak_service PRIVATE flightrec_static)
add_test(NAME host/soak COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/host/as-root ${Python3_EXECUTABLE}
	${CMAKE_CURRENT_SOURCE_DIR}/soak --built ${PROJECT_BINARY_DIR} --minutes 1 --alone)
set_tests_properties(host/soak PROPERTIES TIMEOUT 600 LABELS host SKIP_RETURN_CODE 77
	RESOURCE_LOCK recorder)
