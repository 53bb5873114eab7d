#include "runtime/convert.h"

#include <immintrin.h>

#include <array>
#include <complex>
#include <cstring>

#include "ir/integer_rules.h"
#include "runtime/array.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

using ir::DType;
using ir::Half;

namespace {

template <class T>
inline constexpr bool is_complex_v = std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;

template <class To, class From>
inline To convert_item(From v) {
  if constexpr (std::is_same_v<To, From>)
    return v;
  else if constexpr (is_complex_v<From> && is_complex_v<To>)
    return To(static_cast<typename To::value_type>(v.real()), static_cast<typename To::value_type>(v.imag()));
  else if constexpr (is_complex_v<From> && std::is_same_v<To, bool>)
    return v != From(0);
  else if constexpr (is_complex_v<From>)
    return convert_item<To>(v.real());
  else if constexpr (is_complex_v<To>)
    return To(convert_item<typename To::value_type>(v));
  else if constexpr (std::is_same_v<From, Half> && std::is_same_v<To, double>)
    return static_cast<double>(v);
  else if constexpr (std::is_same_v<From, Half>)
    return convert_item<To>(static_cast<float>(v));
  else if constexpr (std::is_same_v<To, Half> && std::is_same_v<From, float>)
    return Half(v);
  else if constexpr (std::is_same_v<To, Half>)
    return Half(static_cast<double>(v));
  else if constexpr (std::is_same_v<To, bool>)
    return v != From(0);
  else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>)
    return ir::to_integer<To>(v);
  else
    return static_cast<To>(v);
}

// Casts of floating-point numbers to integers tell of those that no integer of the conversion is (numpy converts to
// short ones by way of int32), whatever instructions the compiler makes of them.
template <class To, class From>
constexpr bool kMayBeInvalid = std::is_integral_v<To> && !std::is_same_v<To, bool> && !std::is_integral_v<From>;

template <class To, class From>
inline bool is_invalid(From v) {
  if constexpr (is_complex_v<From>) {
    return is_invalid<To>(v.real());
  } else if constexpr (std::is_same_v<From, Half>) {
    return is_invalid<To>(static_cast<float>(v));
  } else {
    constexpr bool kShort = sizeof(To) < 4 || (std::is_signed_v<To> && sizeof(To) == 4);
    constexpr From kLow = kShort ? -0x1p31f : -0x1p63f;
    constexpr From kHigh = kShort ? 0x1p31f : std::is_signed_v<To> || sizeof(To) < 8 ? 0x1p63f : 0x1p64f;
    return !(v >= kLow && v < kHigh);
  }
}

class InvalidCasts {
 public:
  InvalidCasts() : before_(_mm_getcsr()) {}
  ~InvalidCasts() {
    _mm_setcsr((_mm_getcsr() & ~unsigned{_MM_EXCEPT_INVALID}) | (before_ & _MM_EXCEPT_INVALID) |
               (some ? _MM_EXCEPT_INVALID : 0));
  }
  bool some = false;

 private:
  unsigned before_;
};

template <class From, class To>
void cast(const char* from, std::int64_t fs, char* to, std::int64_t ts, std::int64_t n) {
  if (fs == sizeof(From) && ts == sizeof(To)) {
    auto* f = reinterpret_cast<const From*>(from);
    auto* t = reinterpret_cast<To*>(to);
    if constexpr (std::is_same_v<From, To>) {
      std::memcpy(static_cast<void*>(t), f, static_cast<std::size_t>(n) * sizeof(To));
    } else {
      if constexpr (kMayBeInvalid<To, From>) {
        InvalidCasts invalid;
        for (std::int64_t i = 0; i < n; ++i) {
          t[i] = convert_item<To>(f[i]);
          invalid.some |= is_invalid<To>(f[i]);
        }
      } else {
        for (std::int64_t i = 0; i < n; ++i) t[i] = convert_item<To>(f[i]);
      }
    }
    return;
  }
  [[maybe_unused]] std::conditional_t<kMayBeInvalid<To, From>, InvalidCasts, char> invalid{};
  for (std::int64_t i = 0; i < n; ++i, from += fs, to += ts) {
    if constexpr (std::is_same_v<From, To>) {
      std::memcpy(to, from, sizeof(To));  // as it is: what empty() gives holds no value yet
    } else {
      From v;
      std::memcpy(static_cast<void*>(&v), from, sizeof v);
      To r = convert_item<To>(v);
      if constexpr (kMayBeInvalid<To, From>) invalid.some |= is_invalid<To>(v);
      std::memcpy(static_cast<void*>(to), &r, sizeof r);
    }
  }
}

template <class From>
constexpr auto row() {
  return std::array<CastLoop, ir::kDTypeCount>{cast<From, bool>,
                                               cast<From, std::int8_t>,
                                               cast<From, std::uint8_t>,
                                               cast<From, std::int16_t>,
                                               cast<From, std::uint16_t>,
                                               cast<From, std::int32_t>,
                                               cast<From, std::uint32_t>,
                                               cast<From, std::int64_t>,
                                               cast<From, std::uint64_t>,
                                               cast<From, Half>,
                                               cast<From, float>,
                                               cast<From, double>,
                                               cast<From, std::complex<float>>,
                                               cast<From, std::complex<double>>};
}

}  // namespace

CastLoop cast_loop(DType from, DType to) {
  return ir::visit_dtype(from, [&]<class From>() {
    static constexpr auto kRow = row<From>();
    return kRow[static_cast<std::size_t>(to)];
  });
}

void warn_of_cast(Runtime& runtime, DType from, DType to) {
  if (ir::is_complex(from) && !ir::is_complex(to) && !ir::is_bool(to))
    runtime.warn(ir::ErrorClass::RuntimeWarning, "Casting complex values to real discards the imaginary part");
}

void copy_into(Runtime& runtime, const Array& from, const Array& to) {
  warn_of_cast(runtime, from.dtype, to.dtype);
  if (to.size() == 0) return;
  // An element that is copied onto itself needs no care; every other overlap does.
  bool same_places = from.data == to.data && from.dtype == to.dtype && from.shape == to.shape && from.strides == to.strides;
  if (from.storage && to.storage && !same_places && may_overlap(from, to)) {
    Array copy = converted(runtime, from, from.dtype);
    copy_into(runtime, copy, to);
    return;
  }
  CastLoop loop = cast_loop(from.dtype, to.dtype);
  Array source = from.shape == to.shape ? from : broadcast_view(from, to.shape);
  if (source.c_contiguous() && to.c_contiguous()) {
    loop(source.data, source.itemsize(), to.data, to.itemsize(), to.size());
    return;
  }
  int ndim = to.ndim();
  if (ndim == 0) {
    loop(source.data, 0, to.data, 0, 1);
    return;
  }
  // The inner loop runs over the axis with the target's smallest stride.
  std::size_t inner = static_cast<std::size_t>(ndim - 1);
  for (std::size_t i = 0; i < to.shape.size(); ++i)
    if (to.shape[i] > 1 && std::llabs(to.strides[i]) < std::llabs(to.strides[inner])) inner = i;
  ir::Dims index(static_cast<std::size_t>(ndim), 0);
  const char* f = source.data;
  char* t = to.data;
  std::int64_t n = to.shape[inner], rows = to.size() / n;
  for (std::int64_t r = 0; r < rows; ++r) {
    loop(f, source.strides[inner], t, to.strides[inner], n);
    for (std::size_t axis = to.shape.size(); axis-- > 0;) {
      if (axis == inner) continue;
      f += source.strides[axis];
      t += to.strides[axis];
      if (++index[axis] < to.shape[axis]) break;
      index[axis] = 0;
      f -= source.strides[axis] * to.shape[axis];
      t -= to.strides[axis] * to.shape[axis];
    }
  }
}

Array converted(Runtime& runtime, const Array& from, DType dtype) {
  Array result = runtime.allocate(dtype, from.shape);
  result.backend = from.backend;
  copy_into(runtime, from, result);
  return result;
}

Array contiguous(Runtime& runtime, const Array& from, DType dtype) {
  if (from.dtype == dtype && from.c_contiguous()) return from;
  return converted(runtime, from, dtype);
}

}  // namespace autoray::runtime
