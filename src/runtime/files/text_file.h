// Tables of numbers as text: numpy's loadtxt and savetxt. Reading costs about 50 ns a number
// (std::from_chars); the whole file is in memory once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/array.h"

namespace autoray::runtime {

class Runtime;

struct LoadTextOptions {
  ir::DType dtype = ir::DType::Float64;
  std::vector<std::string> comments = {"#"};
  std::optional<char> delimiter;  // none: runs of white space
  std::optional<char> quote;
  std::int64_t skip_rows = 0;
  std::optional<std::vector<std::int64_t>> columns;
  std::optional<std::int64_t> max_rows;
};
// Rows x columns. ValueError with numpy's wording for ragged rows and for text that is no number. A file
// without data gives shape (0, 1).
Array parse_text(Runtime& runtime, std::string_view text, const LoadTextOptions& options);

struct SaveTextOptions {
  std::vector<std::string> formats = {"%.18e"};  // one for all columns, a whole row's pattern, or one a column
  bool format_is_list = false;
  std::string delimiter = " ", newline = "\n", header, footer, comments = "# ";
};
std::string format_text(Runtime& runtime, const Array& array, const SaveTextOptions& options);

}  // namespace autoray::runtime
