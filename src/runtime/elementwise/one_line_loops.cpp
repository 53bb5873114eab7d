// Loops of the operations that one_line.def defines.
#include <cmath>

#include "runtime/elementwise/driver.h"
#include "runtime/elementwise/loop_templates.h"

namespace autoray::runtime {

std::span<const LoopRow> one_line_loops() {
  static const LoopList rows = [] {
    using namespace scalar;
    LoopList l;
#define UNARY(id, expression, ...) unary<id, __VA_ARGS__>(l, ir::OpId::id);
#define BINARY(id, expression, ...) binary<id, __VA_ARGS__>(l, ir::OpId::id);
#include "runtime/scalar/one_line.def"
    return l;
  }();
  return rows;
}

}  // namespace autoray::runtime
