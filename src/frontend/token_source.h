// Layout: ANTLR's tokens become Python's, with INDENT, DEDENT and NEWLINE, and everything that would make the parser recurse
// too deep or that names an unsupported construct is refused here. Seen only by the parser's own files: it includes ANTLR.
#pragma once

#include <antlr4-runtime.h>

#include <memory>
#include <string>
#include <vector>

#include "frontend/ast.h"
#include "frontend/source.h"
#include "frontend/syntax_errors.h"

namespace autoray::frontend {

// Code points to bytes, for texts that are not ASCII.
class OffsetMap {
 public:
  explicit OffsetMap(std::string_view text);
  std::uint32_t byte(std::size_t code_point) const {
    return starts_.empty() ? static_cast<std::uint32_t>(code_point) : starts_[std::min(code_point, starts_.size() - 1)];
  }

 private:
  std::vector<std::uint32_t> starts_;  // empty: all ASCII
};

// False when there is a problem. With `one_expression` there is no layout: line breaks are blanks.
bool lay_out(std::vector<std::unique_ptr<antlr4::Token>> raw, std::string_view text, const OffsetMap& offsets,
             bool one_expression, std::vector<std::unique_ptr<antlr4::Token>>& tokens, SyntaxProblem& problem);

}  // namespace autoray::frontend
