# Helpers so that every folder's CMakeLists.txt is a few lines.

add_library(iris_options INTERFACE)
target_compile_options(iris_options INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers)
target_include_directories(iris_options INTERFACE "${CMAKE_SOURCE_DIR}")
if(IRIS_SANITIZE)
  target_compile_options(iris_options INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer)
  target_link_options(iris_options INTERFACE -fsanitize=address,undefined)
endif()

# iris_library(NAME [DEPENDS targets...]): a static library of all .cpp files of this folder.
function(iris_library name)
  cmake_parse_arguments(arg "" "" "DEPENDS;SYSTEM" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$") # a program's main is not of its library
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC iris_options ${arg_DEPENDS})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE iris_options ${arg_DEPENDS})
  endif()
endfunction()

# iris_test(NAME LABEL folder [DEPENDS targets...]): one Catch2 program of all .cpp files of a folder.
function(iris_test name label folder)
  cmake_parse_arguments(arg "" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.cpp")
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE iris_options iris_test_main ${arg_DEPENDS})
  target_precompile_headers(${name} REUSE_FROM iris_test_pch)
  add_test(NAME ${label}.${name} COMMAND ${name})
  set_tests_properties(${label}.${name} PROPERTIES LABELS ${label} TIMEOUT 300)
endfunction()
