// numpy's text of arrays and scalars, character for character (numpy 2.x defaults: precision 8, threshold
// 1000, edgeitems 3, linewidth 75, unique floats, sign '-'). Shortest digits come from std::to_chars; the
// cost is that of formatting each shown element once.
#pragma once

#include <string>
#include <string_view>

#include "runtime/array.h"

namespace autoray::runtime {

struct PrintOptions {
  int precision = 8;
  std::int64_t threshold = 1000;
  int edgeitems = 3;
  int linewidth = 75;
  bool suppress = false;
  std::string nanstr = "nan", infstr = "inf";
  char sign = '-';
  enum class FloatMode { MaxPrec, Fixed, Unique, MaxPrecEqual } floatmode = FloatMode::MaxPrec;
};

std::string array_repr(const Array& array, const PrintOptions& options = {});  // array([1., 2.])
std::string array_str(const Array& array, const PrintOptions& options = {});   // [1. 2.]
// np.array2string: the text without "array(" around it; `prefix` and `suffix` are not written, only room is
// left for them.
std::string array_to_string(const Array& array, const PrintOptions& options = {}, std::string_view separator = " ",
                            std::string_view prefix = "", std::string_view suffix = "");
std::string scalar_repr(ir::DType dtype, const void* item);  // np.float64(0.1)
std::string scalar_str(ir::DType dtype, const void* item);   // 0.1
// Python's repr of a float: the shortest digits that read back, 'inf', 'nan', '1e-05', '1e+16'.
std::string float_repr(double value);
// Of a float32 or float16 value with that type's own shortest digits.
std::string float_repr(float value);

}  // namespace autoray::runtime
