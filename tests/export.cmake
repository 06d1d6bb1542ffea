# Tests of export: on snapshots that data/make_snapshot.c makes.
add_library(frec_make_snapshot STATIC data/make_snapshot.c)
target_link_libraries(frec_make_snapshot PUBLIC frec_proto PRIVATE PkgConfig::ZSTD)
add_executable(make_snapshot data/make_snapshot_main.c)
target_link_libraries(make_snapshot PRIVATE frec_make_snapshot)
