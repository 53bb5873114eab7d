// Compiled as the eager loops are, so that both have the same bits.
#include "runtime/elementwise/complex_math.h"
#include "runtime/scalar/complex_functions.h"

namespace autoray::runtime {

using ir::OpId;

namespace {

template <class Op, class Part>
void parts(const void* re, const void* im, void* out_re, void* out_im, std::int64_t n) {
  auto *x = static_cast<const Part*>(re), *y = static_cast<const Part*>(im);
  auto *u = static_cast<Part*>(out_re), *v = static_cast<Part*>(out_im);
  for (std::int64_t i = 0; i < n; ++i) {
    auto r = Op::template apply<std::complex<Part>>({x[i], y[i]});
    u[i] = r.real();
    v[i] = r.imag();
  }
}
template <class Op>
ComplexEntry of(bool single) {
  return single ? parts<Op, float> : parts<Op, double>;
}

}  // namespace

ComplexEntry complex_entry(OpId op, bool single) {
  using namespace scalar;
  switch (op) {
#define FUNCTION1(id, f, complex) \
  case OpId::id: return of<complex>(single);
#define REAL_FUNCTION1(id, f)
#define REAL_FUNCTION2(id, f)
#include "runtime/scalar/functions.def"
#define LOOP1(id, definition, ...)
#define LIBRARY1(id, definition, ...) \
  case OpId::id: return of<definition>(single);
#include "runtime/scalar/unary.def"
    default: return nullptr;
  }
}

}  // namespace autoray::runtime
