// The angle of a real number, a point of the real axis: what atan2(0, x) is, without asking for it.
#pragma once

#include <cmath>

#include "runtime/scalar/definitions.h"

namespace autoray::runtime::scalar {

struct RealAngle {
  template <class T>
  static T apply(T x) {
    T half_turn = select(copysign(T(1), x) < T(0), T(M_PI), T(0));  // -0 is on the negative side
    return select(x == x, half_turn, x);
  }
};

}  // namespace autoray::runtime::scalar
