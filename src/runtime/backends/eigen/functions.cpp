// Transcendental functions by Eigen. Complex ones and those that Eigen 3.4 lacks (or takes from the C library item by item with
// other special values) are numpy's; so is power, whose infinities lose their sign in Eigen.
#include "runtime/backends/eigen/loops.h"

namespace autoray::runtime {
namespace {

EIGEN_UNARY_EXCEPT(Exp, x.exp(), x < (sizeof x == 4 ? -87 : -708), std::exp(x))
EIGEN_UNARY(Expm1, x.expm1())
EIGEN_UNARY_EXCEPT(Log, x.log(), is_subnormal(x), std::log(x))
EIGEN_UNARY_EXCEPT(Log2, x.log2(), is_subnormal(x), std::log2(x))
EIGEN_UNARY_EXCEPT(Log10, x.log10(), is_subnormal(x), std::log10(x))
EIGEN_UNARY(Log1p, x.log1p())
EIGEN_UNARY(Sin, x.sin())
EIGEN_UNARY(Cos, x.cos())
EIGEN_UNARY(Tan, x.tan())
EIGEN_UNARY(Arcsin, x.asin())
EIGEN_UNARY(Arccos, x.acos())
EIGEN_UNARY(Arctan, x.atan())
EIGEN_UNARY(Sinh, x.sinh())
EIGEN_UNARY(Cosh, x.cosh())
EIGEN_UNARY(Tanh, x.tanh())
EIGEN_UNARY(Arcsinh, x.asinh())
EIGEN_UNARY(Arccosh, x.acosh())
EIGEN_UNARY(Arctanh, x.atanh())

constexpr LoopRow kRows[] = {
    EIGEN_REAL_ROWS(eigen_unary, Exp, Exp),         EIGEN_REAL_ROWS(eigen_unary, Expm1, Expm1),
    EIGEN_REAL_ROWS(eigen_unary, Log, Log),         EIGEN_REAL_ROWS(eigen_unary, Log2, Log2),
    EIGEN_REAL_ROWS(eigen_unary, Log10, Log10),     EIGEN_REAL_ROWS(eigen_unary, Log1p, Log1p),
    EIGEN_REAL_ROWS(eigen_unary, Sin, Sin),         EIGEN_REAL_ROWS(eigen_unary, Cos, Cos),
    EIGEN_REAL_ROWS(eigen_unary, Tan, Tan),         EIGEN_REAL_ROWS(eigen_unary, Arcsin, Arcsin),
    EIGEN_REAL_ROWS(eigen_unary, Arccos, Arccos),   EIGEN_REAL_ROWS(eigen_unary, Arctan, Arctan),
    EIGEN_REAL_ROWS(eigen_unary, Sinh, Sinh),       EIGEN_REAL_ROWS(eigen_unary, Cosh, Cosh),
    EIGEN_REAL_ROWS(eigen_unary, Tanh, Tanh),       EIGEN_REAL_ROWS(eigen_unary, Arcsinh, Arcsinh),
    EIGEN_REAL_ROWS(eigen_unary, Arccosh, Arccosh), EIGEN_REAL_ROWS(eigen_unary, Arctanh, Arctanh),
};

}  // namespace

std::span<const LoopRow> eigen_function_loops() { return kRows; }

}  // namespace autoray::runtime
