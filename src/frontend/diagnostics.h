// Errors as a user reads them: file:line:col: error[E0123]: what, the source line, carets, a hint, the script's call stack.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "frontend/ast.h"
#include "frontend/source.h"

namespace autoray::frontend {

struct Label {
  SourceSpan span;
  std::string text;
};

struct StackFrame {
  std::string function;  // "<module>" for a script's own lines
  std::string file;
  int line = 0;
  int repeated = 0;  // how often the same frame follows
};

// A source line with what is marked in it.
struct Excerpt {
  int line = 0;
  std::string text;
  std::vector<std::string> carets;  // a row of marks, then the labels' texts
};

struct Diagnostic {
  int code = 0;       // E0123 is 123
  std::string title;  // "SyntaxError: invalid syntax"
  std::string file;
  int line = 0, column = 0;       // 0: no place
  std::vector<Label> labels;      // the first is the main one
  std::vector<Excerpt> excerpts;  // the lines that the labels mark, in their order in the text
  std::string hint;
  std::vector<std::string> notes;  // what led to it: the exception that was being handled, the cause
  std::vector<StackFrame> stack;   // outermost first
};

// Fills file, line, column and excerpts from the labels.
void locate(Diagnostic& diagnostic, const Source& source);
std::string render(const Diagnostic& diagnostic, bool colour);
std::string to_json(const Diagnostic& diagnostic);

// What `autoray explain E0123` prints; empty for no such code.
struct ErrorCode {
  int code;
  std::string_view title, explanation;
};
const ErrorCode* find_error_code(int code);
// The code of an exception class where nothing more precise was given.
int default_code(ir::ErrorClass error_class);
std::string code_text(int code);  // "E0123"

}  // namespace autoray::frontend
