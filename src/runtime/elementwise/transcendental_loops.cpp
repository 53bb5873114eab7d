#include "runtime/elementwise/driver.h"
#include "runtime/elementwise/loop_templates.h"

namespace autoray::runtime {

using ir::DType;
using ir::OpId;

namespace {
template <VectorFunction F>
void transcendental_real(LoopList& l, OpId id) {
  l.push_back({id, DType::Float32, vector_unary_loop<F, true>});
  l.push_back({id, DType::Float64, vector_unary_loop<F, false>});
}
template <VectorFunction F, class Complex>
void transcendental(LoopList& l, OpId id) {
  transcendental_real<F>(l, id);
  unary<Complex, AUTORAY_COMPLEXES>(l, id);
}
template <VectorFunction F>
void transcendental2(LoopList& l, OpId id) {
  l.push_back({id, DType::Float32, vector_binary_loop<F, true>});
  l.push_back({id, DType::Float64, vector_binary_loop<F, false>});
}
}  // namespace

std::span<const LoopRow> transcendental_loops() {
  static const LoopList rows = [] {
    using namespace scalar;
    LoopList l;
    transcendental<VectorFunction::Exp, ComplexExp>(l, OpId::Exp);
    transcendental<VectorFunction::Expm1, ComplexExpm1>(l, OpId::Expm1);
    transcendental<VectorFunction::Log, ComplexLog>(l, OpId::Log);
    transcendental<VectorFunction::Log2, ComplexLog2>(l, OpId::Log2);
    transcendental<VectorFunction::Log10, ComplexLog10>(l, OpId::Log10);
    transcendental<VectorFunction::Log1p, ComplexLog1p>(l, OpId::Log1p);
    transcendental<VectorFunction::Sin, ComplexSin>(l, OpId::Sin);
    transcendental<VectorFunction::Cos, ComplexCos>(l, OpId::Cos);
    transcendental<VectorFunction::Tan, ComplexTan>(l, OpId::Tan);
    transcendental<VectorFunction::Asin, ComplexAsin>(l, OpId::Arcsin);
    transcendental<VectorFunction::Acos, ComplexAcos>(l, OpId::Arccos);
    transcendental<VectorFunction::Atan, ComplexAtan>(l, OpId::Arctan);
    transcendental<VectorFunction::Sinh, ComplexSinh>(l, OpId::Sinh);
    transcendental<VectorFunction::Cosh, ComplexCosh>(l, OpId::Cosh);
    transcendental<VectorFunction::Tanh, ComplexTanh>(l, OpId::Tanh);
    transcendental<VectorFunction::Asinh, ComplexAsinh>(l, OpId::Arcsinh);
    transcendental<VectorFunction::Acosh, ComplexAcosh>(l, OpId::Arccosh);
    transcendental<VectorFunction::Atanh, ComplexAtanh>(l, OpId::Arctanh);
    transcendental_real<VectorFunction::Cbrt>(l, OpId::Cbrt);
    transcendental_real<VectorFunction::Exp2>(l, OpId::Exp2);
    unary<ComplexExp2, AUTORAY_COMPLEXES>(l, OpId::Exp2);
    transcendental2<VectorFunction::Pow>(l, OpId::Power);
    transcendental2<VectorFunction::Atan2>(l, OpId::Arctan2);
    transcendental2<VectorFunction::Hypot>(l, OpId::Hypot);
    return l;
  }();
  return rows;
}

}  // namespace autoray::runtime
