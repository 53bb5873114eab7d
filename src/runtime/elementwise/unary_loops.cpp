#include "runtime/elementwise/driver.h"
#include "runtime/elementwise/loop_templates.h"

namespace autoray::runtime {

using ir::OpId;

std::span<const LoopRow> unary_loops() {
  static const LoopList rows = [] {
    using namespace scalar;
    LoopList l;
    unary<Negative, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Negative);
    unary<Positive, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Positive);
    unary<Conjugate, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Conjugate);
    unary<Absolute, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Abs);
    unary<Real, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Real);
    unary<Imag, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Imag);
    unary<Sign, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Sign);
    unary<Square, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Square);
    unary<Reciprocal, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Reciprocal);
    unary<Sqrt, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Sqrt);
    unary<Floor, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS>(l, OpId::Floor);
    unary<Ceil, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS>(l, OpId::Ceil);
    unary<Trunc, bool, AUTORAY_INTEGERS, AUTORAY_FLOATS>(l, OpId::Trunc);
    unary<Rint, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(l, OpId::Rint);
    unary<Invert, bool, AUTORAY_INTEGERS>(l, OpId::Invert);
    return l;
  }();
  return rows;
}

}  // namespace autoray::runtime
