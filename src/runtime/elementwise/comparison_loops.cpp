#include "runtime/elementwise/driver.h"
#include "runtime/elementwise/loop_templates.h"

namespace autoray::runtime {

using ir::OpId;

std::span<const LoopRow> comparison_loops() {
  static const LoopList rows = [] {
    using namespace scalar;
    LoopList l;
    binary<Equal, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Equal);
    binary<NotEqual, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::NotEqual);
    binary<Less, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Less);
    binary<LessEqual, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::LessEqual);
    binary<Greater, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Greater);
    binary<GreaterEqual, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::GreaterEqual);
    binary<LogicalAnd, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::LogicalAnd);
    binary<LogicalOr, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::LogicalOr);
    binary<LogicalXor, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::LogicalXor);
    unary<LogicalNot, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::LogicalNot);
    unary<IsNan, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::IsNan);
    unary<IsInf, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::IsInf);
    unary<IsFinite, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::IsFinite);
    return l;
  }();
  return rows;
}

}  // namespace autoray::runtime
