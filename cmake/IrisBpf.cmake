# iris_bpf(NAME SOURCE): compiles SOURCE.bpf.c for the kernel's BPF machine and makes NAME, an interface library that
# brings the skeleton header "<base>.skel.h". Needs no vmlinux.h and no BTF of the machine that builds: the sources
# declare what they read and the loader relocates it.
find_program(IRIS_CLANG NAMES clang clang-19 clang-17 clang-16 clang-15 clang-14 clang-13)
find_program(IRIS_BPFTOOL bpftool PATHS /usr/sbin /sbin)

function(iris_bpf name source)
  if(NOT IRIS_CLANG OR NOT IRIS_BPFTOOL)
    message(FATAL_ERROR "clang and bpftool are needed to build ${source}: apt-get install clang bpftool")
  endif()
  get_filename_component(base "${source}" NAME)
  string(REPLACE ".bpf.c" "" base "${base}")
  get_filename_component(folder "${source}" DIRECTORY)
  set(out "${CMAKE_CURRENT_BINARY_DIR}/bpf")
  file(MAKE_DIRECTORY "${out}")
  file(GLOB headers CONFIGURE_DEPENDS "${folder}/*.h")
  add_custom_command(
    OUTPUT "${out}/${base}.skel.h"
    COMMAND "${IRIS_CLANG}" -g -O2 -Wall -Werror -target bpf -mcpu=v2 -I "${folder}" -c "${source}" -o "${out}/${base}.raw.o"
    COMMAND "${IRIS_BPFTOOL}" gen object "${out}/${base}.bpf.o" "${out}/${base}.raw.o"
    COMMAND "${IRIS_BPFTOOL}" gen skeleton "${out}/${base}.bpf.o" name "${base}_bpf" > "${out}/${base}.skel.h"
    DEPENDS "${source}" ${headers}
    COMMENT "Building BPF programs ${base}"
    VERBATIM)
  add_custom_target(${name}_skeleton DEPENDS "${out}/${base}.skel.h")
  add_library(${name} INTERFACE)
  add_dependencies(${name} ${name}_skeleton)
  target_include_directories(${name} INTERFACE "${out}" "${folder}")
  target_link_libraries(${name} INTERFACE PkgConfig::BPF)
endfunction()
