// max, min, argmax, argmin. The order of comparisons does not matter to a maximum; NaN beats every number.
#include <algorithm>
#include <cstdlib>

#include "ir/rules/reduction.h"
#include "runtime/reduction/common.h"
#include "runtime/reduction/walk.h"
#include "runtime/scalar/definitions.h"

namespace autoray::runtime {

using ir::DType;
using ir::Error;
using ir::ErrorClass;
using ir::OpId;

namespace {

// A bool is compared as the byte it is.
template <class T>
using Compared = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;

template <bool kMax, class T>
T pick(T a, T b) {
  if constexpr (kMax)
    return scalar::Maximum::apply(a, b);
  else
    return scalar::Minimum::apply(a, b);
}
template <bool kMax, class V>
V pick_lanes(V a, V b) {
  return (kMax ? (a >= b) | (a != a) : (a <= b) | (a != a)) ? a : b;
}

// n > 0.
template <bool kMax, class T>
T extreme_of(const T* p, std::int64_t n) {
  T best = p[0];
  std::int64_t i = 1;
  if constexpr (std::is_arithmetic_v<T>) {
    using V = typename WideOf<T>::type;
    constexpr std::int64_t kLanes = 64 / sizeof(T);
    auto load = [p](std::int64_t at) { return *reinterpret_cast<const V*>(p + at); };
    if (n >= kLanes) {
      V a = load(0);
      i = kLanes;
      if (n >= 8 * kLanes) {
        V b = load(kLanes), c = load(2 * kLanes), d = load(3 * kLanes);
        for (i = 4 * kLanes; i + 4 * kLanes <= n; i += 4 * kLanes) {
          a = pick_lanes<kMax>(a, load(i));
          b = pick_lanes<kMax>(b, load(i + kLanes));
          c = pick_lanes<kMax>(c, load(i + 2 * kLanes));
          d = pick_lanes<kMax>(d, load(i + 3 * kLanes));
        }
        a = pick_lanes<kMax>(pick_lanes<kMax>(a, b), pick_lanes<kMax>(c, d));
      }
      for (; i + kLanes <= n; i += kLanes) a = pick_lanes<kMax>(a, load(i));
      // The rest with items seen before: a maximum does not mind.
      if (i < n) a = pick_lanes<kMax>(a, load(n - kLanes));
      i = n;
      best = a[0];
      for (int k = 1; k < kLanes; ++k) best = pick<kMax>(best, T(a[k]));
    }
  }
  for (; i < n; ++i) best = pick<kMax>(best, p[i]);
  return best;
}

template <bool kMax, class T>
void extreme_of_columns(const T* p, std::int64_t n, std::int64_t stride, std::int64_t width, T* best) {
  for (std::int64_t k = 0; k < width; ++k) best[k] = p[k];
  for (std::int64_t i = 1; i < n; ++i) {
    auto* row = reinterpret_cast<const T*>(reinterpret_cast<const char*>(p) + i * stride);
    for (std::int64_t k = 0; k < width; ++k) best[k] = pick<kMax>(best[k], row[k]);
  }
}

// The same items with the reduced axes from the largest stride of the operand to its smallest: numpy walks them so, and of
// several complex NaNs the first wins.
Array in_memory_order(const KernelCall& call, const Array& x) {
  ir::Dims axes = ir::reduction_axes(reduction_attr(call, "axis"), x.ndim());
  std::sort(axes.begin(), axes.end());
  ir::Dims sorted = axes;
  auto stride = [&](std::int64_t axis) { return std::llabs(call.in[0]->strides[static_cast<std::size_t>(axis)]); };
  std::stable_sort(sorted.begin(), sorted.end(), [&](std::int64_t a, std::int64_t b) { return stride(a) > stride(b); });
  Array view = x;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    auto from = static_cast<std::size_t>(sorted[i]), to = static_cast<std::size_t>(axes[i]);
    view.shape[to] = x.shape[from];
    view.strides[to] = x.strides[from];
  }
  return view;
}

template <bool kMax>
void extreme(KernelCall& call) {
  static constexpr const char* kName = kMax ? "maximum" : "minimum";
  bool given = has_initial(call);
  DType dtype = call.types[0].dtype == DType::Float16 ? DType::Float32 : call.types[0].dtype;
  Array x = *call.in[0];
  if (masked(call)) {
    if (!given) refuse_mask(kName);
    x = converted(call.runtime, with_identity(call, x, dtype, initial_item(call, dtype)), dtype);
  }
  if (ir::is_complex(dtype)) x = in_memory_order(call, x);
  Walk walk = walk_of(call, x, dtype);
  Array out = call.runtime.allocate(dtype, call.types[0].shape);
  if (walk.n == 0) {
    if (!given) refuse_empty(kName);
    copy_into(call.runtime, initial_item(call, dtype), out);
  } else if (walk.n) {
    ir::visit_dtype(dtype, [&]<class Item>() {
      using T = Compared<Item>;
      if constexpr (!std::is_same_v<T, ir::Half>)
        reduce<T, T>(call.runtime, walk, out.as<T>(), extreme_of<kMax, T>, extreme_of_columns<kMax, T>);
    });
  }
  store(call, initial_applied(call, std::move(out), kMax ? OpId::Maximum : OpId::Minimum));
}

// a stands before b in argmax's (argmin's) choice: NaN first of all.
template <bool kMax, class T>
bool better(T a, T b) {
  if constexpr (scalar::is_complex_v<T>) {
    if (b != b) return false;
    if (a != a) return true;
    return kMax ? scalar::complex_less(b, a) : scalar::complex_less(a, b);
  } else {
    return (b == b) & ((a != a) | (kMax ? a > b : a < b));
  }
}

// The first place of the best item. Blocks are looked at once for their best value, and only the best block again for its
// place.
template <bool kMax, class T>
std::int64_t place_of(const T* p, std::int64_t n) {
  if constexpr (scalar::is_complex_v<T>) {
    std::int64_t best = 0;
    for (std::int64_t i = 1; i < n; ++i)
      if (better<kMax>(p[i], p[best])) best = i;
    return best;
  } else {
    constexpr std::int64_t kBlock = 4096;
    T value = extreme_of<kMax>(p, std::min(kBlock, n));
    std::int64_t block = 0;
    for (std::int64_t i = kBlock; i < n && value == value; i += kBlock) {
      T other = extreme_of<kMax>(p + i, std::min(kBlock, n - i));
      if (!better<kMax>(other, value)) continue;
      value = other;
      block = i;
    }
    // Whole chunks first: a comparison of many items has no branch.
    constexpr std::int64_t kChunk = 32;
    bool nan = value != value;
    for (; block + kChunk <= n; block += kChunk) {
      Flag<sizeof(T)> found = 0;
      if (nan)
        for (std::int64_t i = 0; i < kChunk; ++i) found |= p[block + i] != p[block + i] ? 1 : 0;
      else
        for (std::int64_t i = 0; i < kChunk; ++i) found |= p[block + i] == value ? 1 : 0;
      if (found) break;
    }
    while (!(nan ? p[block] != p[block] : p[block] == value)) ++block;
    return block;
  }
}

template <bool kMax, class T>
void places_of_columns(const T* p, std::int64_t n, std::int64_t stride, std::int64_t width, std::int64_t* places) {
  T best[kColumns];
  for (std::int64_t k = 0; k < width; ++k) {
    best[k] = p[k];
    places[k] = 0;
  }
  for (std::int64_t i = 1; i < n; ++i) {
    auto* row = reinterpret_cast<const T*>(reinterpret_cast<const char*>(p) + i * stride);
    for (std::int64_t k = 0; k < width; ++k) {
      bool first = better<kMax>(row[k], best[k]);
      best[k] = first ? row[k] : best[k];
      places[k] = first ? i : places[k];
    }
  }
}

template <bool kMax>
void arg_extreme(KernelCall& call) {
  Walk walk = walk_of(call, *call.in[0], call.in[0]->dtype == DType::Float16 ? DType::Float32 : call.in[0]->dtype);
  if (walk.n == 0)
    throw Error(ErrorClass::ValueError, std::string("attempt to get arg") + (kMax ? "max" : "min") + " of an empty sequence");
  Array& out = call.allocate();
  ir::visit_dtype(walk.data.dtype, [&]<class Item>() {
    using T = Compared<Item>;
    if constexpr (!std::is_same_v<T, ir::Half>)
      reduce<T, std::int64_t>(call.runtime, walk, out.as<std::int64_t>(), place_of<kMax, T>, places_of_columns<kMax, T>);
  });
}

}  // namespace

std::span<const KernelRow> extreme_kernels() {
  static constexpr KernelRow kRows[] = {{OpId::Max, extreme<true>, "autoray"},
                                        {OpId::Min, extreme<false>, "autoray"},
                                        {OpId::Argmax, arg_extreme<true>, "autoray"},
                                        {OpId::Argmin, arg_extreme<false>, "autoray"}};
  return kRows;
}

}  // namespace autoray::runtime
