// numpy's signatures, written as text in the op table, parsed for keyword binding, error messages, `autoray ops` and docs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ir/type.h"

namespace autoray::ir {

enum class ParameterKind : std::uint8_t { PositionalOnly, Positional, KeywordOnly, VarPositional, VarKeyword };

struct Parameter {
  std::string_view name;
  ParameterKind kind = ParameterKind::Positional;
  bool required = true;
  Attr default_value;             // meaningful when !required
  std::string_view default_text;  // as written
};

// "a, /, axis=None, *, keepdims=False": names with defaults, `/`, `*`, `*args`, `**kwargs`. Views into `text`, which must
// outlive it (the op table's texts are literals). Malformed text throws SystemError: the table is ours.
struct Signature {
  std::vector<Parameter> parameters;
  int positional_count = 0;  // parameters that positions can fill
  int var_positional = -1;   // index of *args, -1 without
  int var_keyword = -1;

  int index_of(std::string_view parameter) const;  // -1 when absent
};

Signature parse_signature(std::string_view text);

}  // namespace autoray::ir
