# The recorder engine: its parts by themselves, without a kernel that records.
foreach(test catalog control deaths format processes ring)
	frec_unit_test(test_${test} frec_engine)
endforeach()
frec_unit_test(test_snapshot frec_pipeline frec_engine)
