# SPDX-License-Identifier: Apache-2.0
# cmake -DBUILD=<build tree> -DWORK=<scratch directory> -DGENERATOR=<of CMake> -DCXX=<compiler> -DFLAGS=<its flags> -P run.cmake
# Installs the build tree to a temporary prefix, moves the prefix (an installed package must not depend on its place),
# builds the consumer there and runs it and the installed program.
cmake_minimum_required(VERSION 3.25)

function(demand)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${ARGN}\n${text}")
  endif()
  set(output "${text}" PARENT_SCOPE)
endfunction()

get_filename_component(consumer "${CMAKE_CURRENT_LIST_FILE}" DIRECTORY)
set(prefix "${WORK}/moved")
file(REMOVE_RECURSE "${WORK}")
demand(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
file(RENAME "${WORK}/prefix" "${prefix}")

demand(${CMAKE_COMMAND} -S ${consumer} -B ${WORK}/build -G ${GENERATOR} -DCMAKE_PREFIX_PATH=${prefix}
       -DCMAKE_CXX_COMPILER=${CXX} "-DCMAKE_CXX_FLAGS=${FLAGS}" -DCMAKE_BUILD_TYPE=Release
       -DCMAKE_DISABLE_FIND_PACKAGE_ITK=ON)
demand(${CMAKE_COMMAND} --build ${WORK}/build)
demand(${WORK}/build/heat)
message(STATUS "${output}")
demand(${prefix}/bin/spinetherm --version)

# A component that does not exist is refused by name.
file(WRITE "${WORK}/unknown/CMakeLists.txt" "cmake_minimum_required(VERSION 3.25)\nproject(unknown LANGUAGES CXX)\n"
     "find_package(SpineTherm REQUIRED COMPONENTS thermic)\n")
execute_process(COMMAND ${CMAKE_COMMAND} -S ${WORK}/unknown -B ${WORK}/unknown/build -G ${GENERATOR}
                -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_CXX_COMPILER=${CXX} RESULT_VARIABLE code ERROR_VARIABLE text
                OUTPUT_QUIET)
if(code EQUAL 0 OR NOT text MATCHES "has no component 'thermic'")
  message(FATAL_ERROR "an unknown component was not refused: ${text}")
endif()
file(REMOVE_RECURSE "${WORK}")
