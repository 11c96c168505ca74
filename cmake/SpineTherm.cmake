# SPDX-License-Identifier: Apache-2.0
# One folder = one library = one alias target, with the same name in the tree and after install.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Without this ccache takes no file that uses a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()

# spinetherm_precompile(<target> <header>...): what nearly every file of the target includes; most of a compilation
# is reading it.
function(spinetherm_precompile target)
  list(TRANSFORM ARGN REPLACE "(.+)" "<\\1>")
  target_precompile_headers(${target} PRIVATE ${ARGN})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fpch-preprocess) # for ccache
  endif()
endfunction()
set(SPINETHERM_COMMON_HEADERS algorithm array cmath filesystem map optional string vector Eigen/Dense fmt/format.h
    fmt/ranges.h)

function(spinetherm_compile_options target)
  # g++ 12 warns falsely of overlapping and endless copies in "text" + std::string (GCC bug 105651).
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow
                         $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-stringop-overflow;-Wno-stringop-overread;-Wno-array-bounds>)
  if(SPINETHERM_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(SPINETHERM_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=address,undefined -fno-sanitize-recover=all
                           -fno-omit-frame-pointer -g1 -O1)
    target_link_options(${target} PRIVATE -fsanitize=address,undefined)
  endif()
endfunction()

# spinetherm_add_library(<name> SOURCES ... PUBLIC ... PRIVATE ...) makes SpineTherm::<name>.
function(spinetherm_add_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(spinetherm_${name} STATIC ${ARG_SOURCES})
  add_library(SpineTherm::${name} ALIAS spinetherm_${name})
  set_target_properties(spinetherm_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(spinetherm_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/spinetherm>)
  target_link_libraries(spinetherm_${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  target_compile_features(spinetherm_${name} PUBLIC cxx_std_20)
  spinetherm_precompile(spinetherm_${name} ${SPINETHERM_COMMON_HEADERS})
  spinetherm_compile_options(spinetherm_${name})
endfunction()

# spinetherm_add_tests(<module> LINK ... SOURCES a/name_test.cpp ...): one binary a module, one ctest a test case,
# named <module>/<suite>.<case>, labelled unit unless LABEL says otherwise.
function(spinetherm_add_tests module)
  cmake_parse_arguments(ARG "" "LABEL;SUFFIX;TIMEOUT" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  string(REPLACE "/" "_" target "${module}${ARG_SUFFIX}_test")
  add_executable(${target} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest_main)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${target} PRIVATE PROJECT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  spinetherm_compile_options(${target})
  spinetherm_precompile(${target} ${SPINETHERM_COMMON_HEADERS} gmock/gmock.h gtest/gtest.h)
  gtest_discover_tests(${target} TEST_PREFIX "${module}/" DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
endfunction()
