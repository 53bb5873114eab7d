# The ANTLR parser: generated at build time, compiled without our warnings.
find_program(ANTLR4_TOOL antlr4 REQUIRED)
find_path(ANTLR4_INCLUDE antlr4-runtime.h PATH_SUFFIXES antlr4-runtime REQUIRED)
find_library(ANTLR4_STATIC NAMES libantlr4-runtime.a REQUIRED)

set(grammar_dir ${CMAKE_BINARY_DIR}/grammar)
set(grammar_files AutorayLexer AutorayParser)
list(TRANSFORM grammar_files PREPEND ${grammar_dir}/ OUTPUT_VARIABLE grammar_stems)
list(TRANSFORM grammar_stems APPEND .cpp OUTPUT_VARIABLE grammar_sources)
list(TRANSFORM grammar_stems APPEND .h OUTPUT_VARIABLE grammar_headers)
add_custom_command(OUTPUT ${grammar_sources} ${grammar_headers}
  COMMAND ${ANTLR4_TOOL} -Dlanguage=Cpp -package autoray::grammar -no-listener -no-visitor
          -Xexact-output-dir -o ${grammar_dir} ${CMAKE_SOURCE_DIR}/grammar/Autoray.g4
  DEPENDS ${CMAKE_SOURCE_DIR}/grammar/Autoray.g4
  COMMENT "ANTLR: grammar/Autoray.g4" VERBATIM)
add_library(autoray_grammar STATIC ${grammar_sources})
set_target_properties(autoray_grammar PROPERTIES CXX_STANDARD 17)
target_compile_options(autoray_grammar PRIVATE -w -fvisibility=hidden)
target_include_directories(autoray_grammar SYSTEM PUBLIC ${ANTLR4_INCLUDE} ${grammar_dir})
target_link_libraries(autoray_grammar PUBLIC ${ANTLR4_STATIC})
