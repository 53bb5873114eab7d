#include "runtime/elementwise/driver.h"
#include "runtime/elementwise/loop_templates.h"
#include "runtime/scalar/complex_functions.h"

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
#define FUNCTION1(id, function, complex) transcendental<VectorFunction::function, complex>(l, OpId::id);
#define REAL_FUNCTION1(id, function) transcendental_real<VectorFunction::function>(l, OpId::id);
#define REAL_FUNCTION2(id, function) transcendental2<VectorFunction::function>(l, OpId::id);
#include "runtime/scalar/functions.def"
    return l;
  }();
  return rows;
}

}  // namespace autoray::runtime
