# What `cmake --install` puts into a prefix: the program, the shared library with its headers, and the package that
# find_package(autoray) finds.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Only the public names are visible: a host may have its own LLVM, ANTLR or Eigen beside it.
add_library(autoray_shared SHARED $<TARGET_OBJECTS:autoray_api>)
# The packaged static ANTLR and zstd are not position-independent: their shared ones stand before them and are taken.
find_library(ANTLR4_SHARED NAMES libantlr4-runtime.so REQUIRED)
find_library(ZSTD_SHARED NAMES libzstd.so REQUIRED)
target_link_libraries(autoray_shared PRIVATE ${ZSTD_SHARED} autoray_codegen autoray_frontend ${ANTLR4_SHARED})
target_include_directories(autoray_shared INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(autoray_shared INTERFACE cxx_std_17)
set(exports ${CMAKE_SOURCE_DIR}/cmake/exports.map)
target_link_options(autoray_shared PRIVATE -Wl,--version-script=${exports} -Wl,--no-undefined)
set_target_properties(autoray_shared PROPERTIES OUTPUT_NAME autoray EXPORT_NAME autoray LINK_DEPENDS ${exports}
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
if(AUTORAY_SANITIZE)
  # Sanitized objects need the runtime of a sanitized program.
  set_target_properties(autoray_shared PROPERTIES EXCLUDE_FROM_ALL ON)
  return()
endif()

install(TARGETS autoray RUNTIME)
install(TARGETS autoray_shared EXPORT autoray LIBRARY)
install(DIRECTORY include/autoray TYPE INCLUDE)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/autoray)
install(EXPORT autoray NAMESPACE autoray:: FILE autorayTargets.cmake DESTINATION ${package})
configure_package_config_file(cmake/autorayConfig.cmake.in ${CMAKE_BINARY_DIR}/autorayConfig.cmake
  INSTALL_DESTINATION ${package} PATH_VARS CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/autorayConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/autorayConfig.cmake ${CMAKE_BINARY_DIR}/autorayConfigVersion.cmake
  cmake/autorayAddObject.cmake DESTINATION ${package})
