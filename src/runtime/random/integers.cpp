// Kernels of bounded integers: Generator.integers and the legacy randint.
#include <cmath>

#include "ir/error.h"
#include "runtime/convert.h"
#include "runtime/random/distributions.h"
#include "runtime/random/random.h"
#include "runtime/random/random_state.h"

namespace autoray::runtime {
namespace {

using ir::DType;
using ir::Error;
using ir::ErrorClass;
using Wide = __int128;  // every bound of every integer dtype, and one beyond

constexpr std::int64_t kBlock = 1 << 16;

// The bounds as exact integers; floats are cut towards zero, as int() does.
class Bounds {
 public:
  Bounds(KernelCall& call, const Operand& operand, std::span<const std::int64_t> shape) : scalar_(operand->ndim() == 0) {
    Array values = scalar_ ? *operand.array : broadcast_view(*operand.array, shape);
    if (ir::is_real_floating(values.dtype)) values = converted(call.runtime, values, DType::Float64);
    if (values.dtype == DType::Bool || ir::is_signed_integer(values.dtype))
      values = converted(call.runtime, values, DType::Int64);
    if (ir::is_unsigned(values.dtype)) values = converted(call.runtime, values, DType::UInt64);
    values_ = contiguous(call.runtime, values, values.dtype);
    if (values_.dtype != DType::Float64) return;
    for (std::int64_t i = 0; i < values_.size(); ++i) {
      double value = values_.as<double>()[i];
      if (std::isnan(value)) throw Error(ErrorClass::ValueError, "cannot convert float NaN to integer");
      if (std::isinf(value)) throw Error(ErrorClass::OverflowError, "cannot convert float infinity to integer");
    }
  }
  Wide operator[](std::int64_t i) const {
    std::int64_t at = scalar_ ? 0 : i;
    if (values_.dtype == DType::Int64) return values_.as<std::int64_t>()[at];
    if (values_.dtype == DType::UInt64) return values_.as<std::uint64_t>()[at];
    double value = values_.as<double>()[at];
    return std::fabs(value) < 0x1p100 ? static_cast<Wide>(value) : value < 0 ? -(Wide{1} << 100) : Wide{1} << 100;
  }
  bool scalar() const { return scalar_; }

 private:
  bool scalar_;
  Array values_;
};

struct Limits {
  Wide low, high;
};
Limits limits_of(DType dtype) {
  return ir::visit_dtype(dtype, []<class T>() -> Limits {
    if constexpr (std::is_integral_v<T>) {
      return {Wide{std::numeric_limits<T>::min()}, Wide{std::numeric_limits<T>::max()}};
    } else {
      return {0, 0};
    }
  });
}

// low + draw in [0, range], in the unsigned type of the dtype's width.
template <class T, class Engine>
T draw(Engine& engine, Wide low, Wide range, Bounding bounding, WordBuffer& buffer) {
  if constexpr (std::is_same_v<T, bool>) {
    return bounded_bool(engine, low != 0, range != 0, buffer);
  } else {
    using Unsigned = std::make_unsigned_t<T>;
    auto base = static_cast<Unsigned>(low);
    if constexpr (sizeof(T) == 8) {
      return static_cast<T>(base + bounded_uint64(engine, static_cast<std::uint64_t>(range), bounding));
    } else if constexpr (sizeof(T) == 4) {
      return static_cast<T>(base + bounded_uint32(engine, static_cast<std::uint32_t>(range), bounding));
    } else {
      constexpr int kBits = 8 * sizeof(T);
      return static_cast<T>(
          static_cast<Unsigned>(base + bounded_small<kBits>(engine, static_cast<std::uint32_t>(range), bounding, buffer)));
    }
  }
}

void integers(KernelCall& call, bool closed, Bounding bounding) {
  Array& out = call.allocate();
  std::int64_t n = out.size();
  if (n == 0) return;
  const Operand *low_operand = nullptr, *high_operand = &call.in[0];
  if (call.in[1].present()) {
    low_operand = &call.in[0];
    high_operand = &call.in[1];
  }
  std::optional<Bounds> low_bounds;
  if (low_operand) low_bounds.emplace(call, *low_operand, out.shape);
  Bounds high(call, *high_operand, out.shape);
  auto low_at = [&](std::int64_t i) { return low_bounds ? (*low_bounds)[i] : Wide{0}; };
  auto high_at = [&](std::int64_t i) { return high[i] - (closed ? 0 : 1); };
  std::int64_t checked = high.scalar() && (!low_bounds || low_bounds->scalar()) ? 1 : n;
  Limits limits = limits_of(out.dtype);
  std::string dtype_name(ir::name(out.dtype));
  bool empty = false, any_low = false;
  for (std::int64_t i = 0; i < checked; ++i)
    if (low_at(i) < limits.low) throw Error(ErrorClass::ValueError, "low is out of bounds for " + dtype_name);
  for (std::int64_t i = 0; i < checked; ++i) {
    if (high_at(i) > limits.high) throw Error(ErrorClass::ValueError, "high is out of bounds for " + dtype_name);
    empty |= low_at(i) > high_at(i);
    any_low |= low_at(i) != 0;
  }
  if (empty)
    throw Error(ErrorClass::ValueError,
                any_low ? (closed ? "low > high" : "low >= high") : (closed ? "high < 0" : "high <= 0"));
  BitGenerator& stream = stream_of(call);
  bool one_range = checked == 1;
  ir::visit_dtype(out.dtype, [&]<class T>() {
    if constexpr (std::is_integral_v<T>) {
      std::visit(
          [&](auto& engine) {
            WordBuffer buffer;
            T* to = out.as<T>();
            Wide low = low_at(0), range = high_at(0) - low;
            for (std::int64_t begin = 0; begin < n; begin += kBlock) {
              call.runtime.poll();
              for (std::int64_t i = begin, end = std::min(n, begin + kBlock); i < end; ++i) {
                if (!one_range) {
                  low = low_at(i);
                  range = high_at(i) - low;
                }
                to[i] = draw<T>(engine, low, range, bounding, buffer);
              }
            }
          },
          stream.engine);
    }
  });
}

void generator_integers(KernelCall& call) { integers(call, ir::as_bool(call.attrs[2], "endpoint"), Bounding::Lemire); }
void randint(KernelCall& call) { integers(call, false, Bounding::Masked); }

}  // namespace

std::span<const KernelRow> integer_kernels() {
  using ir::OpId;
  static constexpr KernelRow kRows[] = {
      {OpId::RandomRandint, randint, "autoray"},
      {OpId::GeneratorIntegers, generator_integers, "autoray"},
  };
  return kRows;
}

}  // namespace autoray::runtime
