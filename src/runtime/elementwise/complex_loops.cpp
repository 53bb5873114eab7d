// Compiled as the eager loops are, so that both have the same bits.
#include "runtime/elementwise/complex_math.h"
#include "runtime/scalar/complex_functions.h"

namespace autoray::runtime {

using ir::OpId;

namespace {

template <class Op, class Part>
void unary(const Part* re, const Part* im, Part* out_re, Part* out_im, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    auto r = Op::template apply<std::complex<Part>>({re[i], im[i]});
    out_re[i] = r.real();
    out_im[i] = r.imag();
  }
}
template <class Op, class Part>
void binary(const Part* re, const Part* im, const Part* re2, const Part* im2, Part* out_re, Part* out_im, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    auto r = Op::template apply<std::complex<Part>>({re[i], im[i]}, {re2[i], im2[i]});
    out_re[i] = r.real();
    out_im[i] = r.imag();
  }
}
template <class Op>
void* of_one(bool single) {
  return single ? reinterpret_cast<void*>(unary<Op, float>) : reinterpret_cast<void*>(unary<Op, double>);
}

}  // namespace

void* complex_entry(OpId op, bool single) {
  using namespace scalar;
  switch (op) {
#define FUNCTION1(id, f, complex) \
  case OpId::id: return of_one<complex>(single);
#define REAL_FUNCTION1(id, f)
#define REAL_FUNCTION2(id, f)
#include "runtime/scalar/functions.def"
#define LOOP1(id, definition, ...)
#define LIBRARY1(id, definition, ...) \
  case OpId::id: return of_one<definition>(single);
#include "runtime/scalar/unary.def"
    case OpId::Power:
      return single ? reinterpret_cast<void*>(binary<ComplexPower, float>)
                    : reinterpret_cast<void*>(binary<ComplexPower, double>);
    default: return nullptr;
  }
}

}  // namespace autoray::runtime
