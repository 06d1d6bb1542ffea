# The recorder engine: its parts by themselves, without a kernel that records.
foreach(test deaths format processes ring)
	frec_unit_test(test_${test} frec_engine)
endforeach()
