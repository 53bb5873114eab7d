// Arithmetic, rounding and parts by Eigen. Complex division, abs and square root stay with numpy's: Eigen's overflow early.
#include "runtime/backends/eigen/loops.h"

namespace autoray::runtime {
namespace {

EIGEN_BINARY(Add, x + y)
EIGEN_BINARY(Subtract, x - y)
EIGEN_BINARY(Multiply, x* y)
EIGEN_BINARY(Divide, x / y)
template <class X>
using Item = typename X::Scalar;
EIGEN_BINARY(Maximum, x.binaryExpr(y, Eigen::internal::scalar_max_op<Item<X>, Item<X>, Eigen::PropagateNaN>()))
EIGEN_BINARY(Minimum, x.binaryExpr(y, Eigen::internal::scalar_min_op<Item<X>, Item<X>, Eigen::PropagateNaN>()))
EIGEN_UNARY(Negative, -x)
// Eigen takes a complex number from zero, which loses the sign of zeros.
EIGEN_UNARY(ComplexNegative, x* typename Eigen::NumTraits<Item<X>>::Real(-1))
EIGEN_UNARY(Abs, x.abs())
EIGEN_UNARY(Square, x.square())
EIGEN_UNARY(Reciprocal, x.inverse())
// The float32 vectors of it are Newton steps, which make NaN of infinity.
EIGEN_UNARY_EXCEPT(Sqrt, x.sqrt(), x == 0 || x - x != 0 || is_subnormal(x), std::sqrt(x))
EIGEN_UNARY(Floor, x.floor())
EIGEN_UNARY(Ceil, x.ceil())
EIGEN_UNARY(Rint, x.rint())
EIGEN_UNARY(Conjugate, x.conjugate())

constexpr LoopRow kRows[] = {
    EIGEN_REAL_ROWS(eigen_binary, Add, Add),
    EIGEN_COMPLEX_ROWS(eigen_binary, Add, Add),
    EIGEN_REAL_ROWS(eigen_binary, Subtract, Subtract),
    EIGEN_COMPLEX_ROWS(eigen_binary, Subtract, Subtract),
    EIGEN_REAL_ROWS(eigen_binary, Multiply, Multiply),
    EIGEN_COMPLEX_ROWS(eigen_binary, Multiply, Multiply),
    EIGEN_REAL_ROWS(eigen_binary, Divide, Divide),
    EIGEN_REAL_ROWS(eigen_binary, Maximum, Maximum),
    EIGEN_REAL_ROWS(eigen_binary, Minimum, Minimum),
    EIGEN_REAL_ROWS(eigen_unary, Negative, Negative),
    EIGEN_COMPLEX_ROWS(eigen_unary, Negative, ComplexNegative),
    EIGEN_REAL_ROWS(eigen_unary, Abs, Abs),
    EIGEN_REAL_ROWS(eigen_unary, Square, Square),
    EIGEN_COMPLEX_ROWS(eigen_unary, Square, Square),
    EIGEN_REAL_ROWS(eigen_unary, Reciprocal, Reciprocal),
    EIGEN_REAL_ROWS(eigen_unary, Sqrt, Sqrt),
    EIGEN_REAL_ROWS(eigen_unary, Floor, Floor),
    EIGEN_REAL_ROWS(eigen_unary, Ceil, Ceil),
    EIGEN_REAL_ROWS(eigen_unary, Rint, Rint),
    EIGEN_COMPLEX_ROWS(eigen_unary, Conjugate, Conjugate),
};

}  // namespace

std::span<const LoopRow> eigen_arithmetic_loops() { return kRows; }

}  // namespace autoray::runtime
