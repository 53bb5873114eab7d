// Comparisons and predicates by Eigen: operands of a floating dtype, results bool.
#include "runtime/backends/eigen/loops.h"

namespace autoray::runtime {
namespace {

EIGEN_BINARY(Equal, x == y)
EIGEN_BINARY(NotEqual, x != y)
EIGEN_BINARY(Less, x < y)
EIGEN_BINARY(LessEqual, x <= y)
EIGEN_BINARY(Greater, x > y)
EIGEN_BINARY(GreaterEqual, x >= y)
EIGEN_UNARY(IsNan, x.isNaN())
EIGEN_UNARY(IsInf, x.isInf())
EIGEN_UNARY(IsFinite, x.isFinite())

template <class F, class T>
constexpr Loop compare = eigen_binary<F, T, bool>;
template <class F, class T>
constexpr Loop test = eigen_unary<F, T, bool>;

constexpr LoopRow kRows[] = {
    EIGEN_REAL_ROWS(compare, Equal, Equal),     EIGEN_REAL_ROWS(compare, NotEqual, NotEqual),
    EIGEN_REAL_ROWS(compare, Less, Less),       EIGEN_REAL_ROWS(compare, LessEqual, LessEqual),
    EIGEN_REAL_ROWS(compare, Greater, Greater), EIGEN_REAL_ROWS(compare, GreaterEqual, GreaterEqual),
    EIGEN_REAL_ROWS(test, IsNan, IsNan),        EIGEN_REAL_ROWS(test, IsInf, IsInf),
    EIGEN_REAL_ROWS(test, IsFinite, IsFinite),
};

}  // namespace

std::span<const LoopRow> eigen_comparison_loops() { return kRows; }

}  // namespace autoray::runtime
