# autoray_add_object(TARGET SCRIPT FUNCTION [ARGS NAME=VALUE ...] [CPU CPU] [NAME SYMBOL] [DEPENDS FILE ...])
#
# Compiles a function of a script when the project is built; TARGET is then a library to link: it brings the header TARGET.h and
# libm along, and nothing of autoray is needed when the program runs. ARGS are those of `autoray compile --arg`:
#
#   autoray_add_object(heat ${CMAKE_CURRENT_SOURCE_DIR}/heat.ar simulate ARGS u=float64[41,41] r=0.2 steps=3)
#   target_link_libraries(app PRIVATE heat)     # app.c includes "heat.h"
#
# DEPENDS names further files that the script reads or imports.
function(autoray_add_object target script function)
  cmake_parse_arguments(PARSE_ARGV 3 object "" "CPU;NAME" "ARGS;DEPENDS")
  if(object_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "autoray_add_object: unknown arguments ${object_UNPARSED_ARGUMENTS}")
  endif()
  get_filename_component(script "${script}" ABSOLUTE)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${target}.autoray)
  set(out ${folder}/${target}.o)
  set(options)
  foreach(argument IN LISTS object_ARGS)
    list(APPEND options --arg ${argument})
  endforeach()
  if(object_CPU)
    list(APPEND options --cpu ${object_CPU})
  endif()
  if(object_NAME)
    list(APPEND options --name ${object_NAME})
  endif()
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(OUTPUT ${out} ${folder}/${target}.h ${folder}/${target}.json
    COMMAND ${autoray_PROGRAM} compile ${script} --call ${function} ${options} -o ${out}
    DEPENDS ${script} ${object_DEPENDS} ${autoray_PROGRAM}
    COMMENT "autoray: ${function} of ${script}" VERBATIM)
  set_source_files_properties(${out} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  add_library(${target} STATIC ${out} ${folder}/${target}.h)
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE C)
  target_include_directories(${target} INTERFACE ${folder})
  target_link_libraries(${target} INTERFACE m)
endfunction()
