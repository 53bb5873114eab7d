#include "ir/error.h"

#include <array>

namespace autoray::ir {
namespace {

struct Row {
  std::string_view name;
  ErrorClass base;
};

constexpr Row kRows[] = {
#define ERROR_CLASS(name, base) {#name, ErrorClass::base},
#include "ir/error_classes.def"
#undef ERROR_CLASS
};

}  // namespace

std::string_view name(ErrorClass error_class) { return kRows[static_cast<int>(error_class)].name; }
std::optional<ErrorClass> find_error_class(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kRows); ++i)
    if (kRows[i].name == name) return static_cast<ErrorClass>(i);
  return std::nullopt;
}
ErrorClass base(ErrorClass error_class) { return kRows[static_cast<int>(error_class)].base; }

bool derives(ErrorClass error_class, ErrorClass ancestor) {
  // AxisError has two bases in numpy: ValueError and IndexError.
  if (error_class == ErrorClass::AxisError && (ancestor == ErrorClass::IndexError || ancestor == ErrorClass::LookupError))
    return true;
  while (error_class != ancestor) {
    if (error_class == ErrorClass::BaseException) return false;
    error_class = base(error_class);
  }
  return true;
}

}  // namespace autoray::ir
