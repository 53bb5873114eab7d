# The page of `autoray graph`: its template, style and script become strings of the program. Run as a script it writes OUT.
if(CMAKE_SCRIPT_MODE_FILE)
  file(WRITE ${OUT} "namespace autoray::ir::picture {\n")
  foreach(part Html Style Script)
    file(READ ${FOLDER}/page.${${part}} text)
    file(APPEND ${OUT} "extern const char* const kPage${part};\nconst char* const kPage${part} = R\"~page~(${text})~page~\";\n")
  endforeach()
  file(APPEND ${OUT} "}\n")
  return()
endif()

set(page_folder ${CMAKE_SOURCE_DIR}/src/ir/picture/page)
set(page_source ${CMAKE_BINARY_DIR}/page/page.cpp)
add_custom_command(OUTPUT ${page_source}
  COMMAND ${CMAKE_COMMAND} -DOUT=${page_source} -DFOLDER=${page_folder} -DHtml=html -DStyle=css -DScript=js
          -P ${CMAKE_SOURCE_DIR}/cmake/page.cmake
  DEPENDS ${page_folder}/page.html ${page_folder}/page.css ${page_folder}/page.js ${CMAKE_SOURCE_DIR}/cmake/page.cmake
  COMMENT "page of graphs" VERBATIM)
