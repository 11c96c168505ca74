# SPDX-License-Identifier: Apache-2.0
# find_package(SpineTherm COMPONENTS thermal) gives SpineTherm::thermal and what it stands on. Every library has an
# export of its own, so that a consumer of the thermal engine needs no ITK. Headers keep their folders:
# #include "thermal/bioheat_solver.h".
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/SpineTherm)
foreach(library core imaging thermal planning datasets app)
  install(TARGETS spinetherm_${library} EXPORT SpineTherm_${library} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT SpineTherm_${library} NAMESPACE SpineTherm:: FILE SpineTherm_${library}.cmake
          DESTINATION ${package_dir})
endforeach()
install(DIRECTORY imaging thermal planning datasets apps DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/spinetherm
        FILES_MATCHING PATTERN "*.h" PATTERN "cli" EXCLUDE PATTERN "viewer" EXCLUDE PATTERN "*_detail.h" EXCLUDE)
install(TARGETS spinetherm_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

configure_package_config_file(cmake/SpineThermConfig.cmake.in SpineThermConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(SpineThermConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/SpineThermConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/SpineThermConfigVersion.cmake DESTINATION ${package_dir})
