// Decimal text of binary floating-point numbers, as numpy's format_float_positional and
// format_float_scientific write it: unique (shortest) digits of the value's own type, cut off or extended by
// exact rounding of the binary value.
//
// Shortest digits are std::to_chars' (Adams, "Ryu", PLDI 2018); exact rounding is its fixed-precision form.
// About 100 ns each.
#pragma once

#include <string>

#include "ir/half.h"

namespace autoray::runtime {

struct FloatStyle {
  int precision = -1;       // at most this many digits behind the point; -1: as many as the value needs
  int min_digits = 0;       // at least this many, further digits of the exact value where the shortest text has fewer
  bool unique = true;       // false: exactly `precision` digits of the exact value
  bool keep_zeros = false;  // pad with zeros to `precision` (numpy's trim 'k'); else trailing zeros go and
                            // the point stays ('.')
  bool plus = false;        // write '+' before positive numbers
  int pad_left = 0;         // characters before the point, sign included
  int pad_right = 0;        // characters behind it (positional only)
  int exp_digits = 2;       // of the exponent (scientific only)
};

// `value` is finite; T is float, double or ir::Half and says what "shortest" means.
template <class T>
std::string positional_text(T value, const FloatStyle& style);
template <class T>
std::string scientific_text(T value, const FloatStyle& style);

// repr of a real number of the type: positional for 1e-4 <= |x| < 1e16 (1e6 float32, 1e3 float16), with `.0`
// after integers; inf, -inf, nan. With `bare` an integer has no ".0" (the parts of a complex number).
template <class T>
std::string shortest_text(T value, bool bare = false);

}  // namespace autoray::runtime
