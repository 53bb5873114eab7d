// Kernels of the continuous distributions.
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

constexpr std::int64_t kBlock = 1 << 16;  // draws between two looks at the interrupt flag

// out[i] = draw(engine, i) for all i, on the concrete engine.
template <class T, class Draw>
void fill(KernelCall& call, BitGenerator& stream, const Array& out, Draw draw) {
  std::visit(
      [&](auto& engine) {
        T* to = out.as<T>();
        for (std::int64_t begin = 0, n = out.size(); begin < n; begin += kBlock) {
          call.runtime.poll();
          for (std::int64_t i = begin, end = std::min(n, begin + kBlock); i < end; ++i) to[i] = draw(engine, i);
        }
      },
      stream.engine);
}

// A distribution's parameter: one float64, or one for each draw.
class Parameter {
 public:
  Parameter(KernelCall& call, const Operand& operand, std::span<const std::int64_t> shape) : scalar_(operand->ndim() == 0) {
    Array values = converted(call.runtime, *operand.array, DType::Float64);
    if (!scalar_) values = contiguous(call.runtime, broadcast_view(values, shape), DType::Float64);
    values_ = std::move(values);
    data_ = values_.as<double>();
  }
  double operator[](std::int64_t i) const { return data_[scalar_ ? 0 : i]; }
  bool scalar() const { return scalar_; }
  std::int64_t size() const { return values_.size(); }

 private:
  bool scalar_;
  Array values_;
  const double* data_;
};

void require_non_negative(const Parameter& parameter, const char* name) {
  for (std::int64_t i = 0; i < parameter.size(); ++i)
    if (!std::isnan(parameter[i]) && std::signbit(parameter[i]))
      throw Error(ErrorClass::ValueError, std::string(name) + " < 0");
}

// The float64 array to draw into; `finish` gives the result its dtype (random.normal(dtype=...)).
Array float64_result(KernelCall& call) {
  if (call.types[0].dtype == DType::Float64) return call.allocate();
  return call.runtime.allocate(DType::Float64, call.types[0].shape);
}
void finish(KernelCall& call, Array drawn) {
  call.out[0] = drawn.dtype == call.types[0].dtype ? std::move(drawn) : converted(call.runtime, drawn, call.types[0].dtype);
}

template <bool kPolar>
void normal(KernelCall& call) {
  Array out = float64_result(call);
  Parameter loc(call, call.in[0], out.shape), scale(call, call.in[1], out.shape);
  require_non_negative(scale, "scale");
  BitGenerator& stream = stream_of(call);
  fill<double>(call, stream, out, [&](auto& engine, std::int64_t i) {
    double z;
    if constexpr (kPolar) {
      z = polar_normal(engine, stream.second_normal);
    } else {
      z = standard_normal(engine);
    }
    return loc[i] + scale[i] * z;
  });
  finish(call, std::move(out));
}

template <bool kLegacy>
void uniform(KernelCall& call) {
  Array out = float64_result(call);
  Parameter low(call, call.in[0], out.shape), high(call, call.in[1], out.shape);
  bool scalar = low.scalar() && high.scalar();
  bool negative = false;
  for (std::int64_t i = 0, n = scalar ? 1 : out.size(); i < n; ++i) {
    double range = high[i] - low[i];
    if (!std::isfinite(range))
      throw Error(ErrorClass::OverflowError,
                  kLegacy || !scalar ? "Range exceeds valid bounds" : "high - low range exceeds valid bounds");
    negative |= std::signbit(range);
  }
  if (!kLegacy && negative) throw Error(ErrorClass::ValueError, "high - low < 0");
  fill<double>(call, stream_of(call), out,
               [&](auto& engine, std::int64_t i) { return low[i] + (high[i] - low[i]) * engine.next_double(); });
  finish(call, std::move(out));
}

template <bool kLegacy>
void exponential(KernelCall& call) {
  Array out = float64_result(call);
  Parameter scale(call, call.in[0], out.shape);
  require_non_negative(scale, "scale");
  fill<double>(call, stream_of(call), out, [&](auto& engine, std::int64_t i) {
    if constexpr (kLegacy) return scale[i] * -std::log(1.0 - engine.next_double());
    return scale[i] * standard_exponential(engine);
  });
  finish(call, std::move(out));
}

void standard_normal_draw(KernelCall& call) {
  Array& out = call.allocate();
  if (out.dtype == DType::Float32) {
    fill<float>(call, stream_of(call), out, [](auto& engine, std::int64_t) { return standard_normal_float(engine); });
  } else {
    fill<double>(call, stream_of(call), out, [](auto& engine, std::int64_t) { return standard_normal(engine); });
  }
}

void standard_exponential_draw(KernelCall& call) {
  Array& out = call.allocate();
  bool ziggurat = ir::as_string(call.attrs[2], "method") == "zig";
  if (out.dtype == DType::Float32) {
    fill<float>(call, stream_of(call), out, [&](auto& engine, std::int64_t) {
      return ziggurat ? standard_exponential_float(engine) : inverse_exponential_float(engine);
    });
  } else {
    fill<double>(call, stream_of(call), out, [&](auto& engine, std::int64_t) {
      return ziggurat ? standard_exponential(engine) : inverse_exponential(engine);
    });
  }
}

void random_draw(KernelCall& call) {
  Array& out = call.allocate();
  if (out.dtype == DType::Float32) {
    fill<float>(call, stream_of(call), out, [](auto& engine, std::int64_t) { return next_float(engine); });
  } else {
    fill<double>(call, stream_of(call), out, [](auto& engine, std::int64_t) { return engine.next_double(); });
  }
}

void legacy_standard_normal(KernelCall& call) {
  BitGenerator& stream = stream_of(call);
  fill<double>(call, stream, call.allocate(),
               [&](auto& engine, std::int64_t) { return polar_normal(engine, stream.second_normal); });
}

void legacy_standard_exponential(KernelCall& call) {
  fill<double>(call, stream_of(call), call.allocate(),
               [](auto& engine, std::int64_t) { return -std::log(1.0 - engine.next_double()); });
}

}  // namespace

std::span<const KernelRow> draw_kernels() {
  using ir::OpId;
  static constexpr KernelRow kRows[] = {
      {OpId::RandomNormal, normal<true>, "autoray"},
      {OpId::RandomUniform, uniform<true>, "autoray"},
      {OpId::RandomExponential, exponential<true>, "autoray"},
      {OpId::RandomStandardNormal, legacy_standard_normal, "autoray"},
      {OpId::RandomStandardExponential, legacy_standard_exponential, "autoray"},
      {OpId::RandomRandom, random_draw, "autoray"},
      {OpId::RandomRand, random_draw, "autoray"},
      {OpId::RandomRandn, legacy_standard_normal, "autoray"},
      {OpId::GeneratorRandom, random_draw, "autoray"},
      {OpId::GeneratorUniform, uniform<false>, "autoray"},
      {OpId::GeneratorNormal, normal<false>, "autoray"},
      {OpId::GeneratorStandardNormal, standard_normal_draw, "autoray"},
      {OpId::GeneratorExponential, exponential<false>, "autoray"},
      {OpId::GeneratorStandardExponential, standard_exponential_draw, "autoray"},
  };
  return kRows;
}

}  // namespace autoray::runtime
