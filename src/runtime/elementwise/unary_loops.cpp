#include "runtime/elementwise/driver.h"
#include "runtime/elementwise/loop_templates.h"

namespace autoray::runtime {

std::span<const LoopRow> unary_loops() {
  static const LoopList rows = [] {
    using namespace scalar;
    LoopList l;
#include "runtime/elementwise/loop_rows.def"
#include "runtime/scalar/unary.def"
    return l;
  }();
  return rows;
}

}  // namespace autoray::runtime
