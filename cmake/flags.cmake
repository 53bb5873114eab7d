# Compiler flags of every target, in one interface library.
set(AUTORAY_CPU "native" CACHE STRING "the CPU to build for: native, x86-64-v3, x86-64-v4, ...")
set(AUTORAY_SANITIZE "" CACHE STRING "a -fsanitize= list, e.g. address,undefined")
option(AUTORAY_WERROR "warnings are errors" ON)

add_library(autoray_flags INTERFACE)
target_include_directories(autoray_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
# No contraction: a*b+c has the same bits on every executor; FMA only where it is written.
target_compile_options(autoray_flags INTERFACE -march=${AUTORAY_CPU} -ffp-contract=off -fno-math-errno
  -fvisibility=hidden -fno-plt -ftls-model=initial-exec -Wall -Wextra -Wshadow -Wno-psabi)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(autoray_flags INTERFACE -Wno-unknown-warning-option)
  # g++ says itself that it sanitizes.
  if(AUTORAY_SANITIZE MATCHES address)
    target_compile_definitions(autoray_flags INTERFACE __SANITIZE_ADDRESS__=1)
  endif()
endif()
if(AUTORAY_WERROR)
  target_compile_options(autoray_flags INTERFACE -Werror)
endif()
if(AUTORAY_SANITIZE)
  # Without recovery a check costs one jump: less to compile, and nothing found is passed over.
  target_compile_options(autoray_flags INTERFACE -fsanitize=${AUTORAY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(autoray_flags INTERFACE -fsanitize=${AUTORAY_SANITIZE})
endif()

find_program(AUTORAY_CCACHE ccache)
if(AUTORAY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${AUTORAY_CCACHE})
endif()

# Eigen: headers alone, without its own warnings.
find_package(Eigen3 REQUIRED NO_MODULE)
add_library(autoray_eigen INTERFACE)
target_include_directories(autoray_eigen SYSTEM INTERFACE $<TARGET_PROPERTY:Eigen3::Eigen,INTERFACE_INCLUDE_DIRECTORIES>)

# .npz: minizip and zlib, static.
find_library(MINIZIP_STATIC NAMES libminizip.a REQUIRED)
find_library(ZLIB_STATIC NAMES libz.a REQUIRED)
add_library(autoray_minizip INTERFACE)
target_link_libraries(autoray_minizip INTERFACE ${MINIZIP_STATIC} ${ZLIB_STATIC})

# A program that starts with libc and libm alone.
add_library(autoray_start_alone INTERFACE)
if(NOT AUTORAY_SANITIZE)
  target_link_options(autoray_start_alone INTERFACE -no-pie -static-libstdc++ -static-libgcc)
endif()

# LLVM: static, with hidden symbols, linked by its own lld in a tenth of bfd's time. Its libraries name others that only
# parts of it need which we leave alone (libxml2, Z3, Polly). lld is a library as well: it makes the shared objects of
# `autoray compile`, and brings link-time optimisation with it.
find_program(LLVM_CONFIG NAMES llvm-config-19 REQUIRED)
execute_process(COMMAND ${LLVM_CONFIG} --libs --link-static orcjit x86codegen x86asmparser passes lto option OUTPUT_VARIABLE llvm_libraries OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${LLVM_CONFIG} --libdir OUTPUT_VARIABLE llvm_library_folder OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${LLVM_CONFIG} --includedir OUTPUT_VARIABLE llvm_include_folder OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${LLVM_CONFIG} --bindir OUTPUT_VARIABLE llvm_program_folder OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
find_library(ZSTD_STATIC NAMES libzstd.a REQUIRED)
string(REPLACE " " ";" llvm_libraries "${llvm_libraries}")
list(REMOVE_ITEM llvm_libraries -lPolly -lPollyISL)
find_path(LLD_INCLUDE lld/Common/Driver.h HINTS ${llvm_include_folder} REQUIRED)
add_library(autoray_llvm INTERFACE)
target_include_directories(autoray_llvm SYSTEM INTERFACE ${llvm_include_folder})
target_link_directories(autoray_llvm INTERFACE ${llvm_library_folder})
target_link_libraries(autoray_llvm INTERFACE -llldELF -llldCommon ${llvm_libraries} ${ZLIB_STATIC} ${ZSTD_STATIC} ${CMAKE_DL_LIBS})
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_link_options(autoray_llvm INTERFACE -fuse-ld=lld)
else()
  # g++ takes the linker of that name from its search folders.
  target_link_options(autoray_llvm INTERFACE -fuse-ld=lld -B${llvm_program_folder})
endif()
# The cache of compiled kernels tells builds apart by it.
target_link_options(autoray_llvm INTERFACE -Wl,--build-id=sha1)
# A sanitizer's own functions must be seen by the C++ library.
if(NOT AUTORAY_SANITIZE)
  target_link_options(autoray_llvm INTERFACE -Wl,--exclude-libs,ALL)
endif()
