#include "runtime/elementwise/driver.h"
#include "runtime/elementwise/loop_templates.h"

namespace autoray::runtime {

using ir::OpId;

std::span<const LoopRow> arithmetic_loops() {
  static const LoopList rows = [] {
    using namespace scalar;
    LoopList l;
    binary<Add, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Add);
    binary<Subtract, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Subtract);
    binary<Multiply, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Multiply);
    binary<Divide, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Divide);
    binary<FloorDivide, AUTORAY_INTEGERS, AUTORAY_FLOATS>(l, OpId::FloorDivide);
    binary<Remainder, AUTORAY_INTEGERS, AUTORAY_FLOATS>(l, OpId::Remainder);
    binary<Power, AUTORAY_INTEGERS>(l, OpId::Power);
    binary<ComplexPower, AUTORAY_COMPLEXES>(l, OpId::Power);
    binary<Maximum, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Maximum);
    binary<Minimum, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Minimum);
    binary<BitwiseAnd, bool, AUTORAY_INTEGERS>(l, OpId::BitwiseAnd);
    binary<BitwiseOr, bool, AUTORAY_INTEGERS>(l, OpId::BitwiseOr);
    binary<BitwiseXor, bool, AUTORAY_INTEGERS>(l, OpId::BitwiseXor);
    binary<LeftShift, AUTORAY_INTEGERS>(l, OpId::LeftShift);
    binary<RightShift, AUTORAY_INTEGERS>(l, OpId::RightShift);
    return l;
  }();
  return rows;
}

}  // namespace autoray::runtime
