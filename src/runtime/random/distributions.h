// One draw of each distribution from a bit generator (Pcg64, Mt19937): the algorithms that define numpy's
// streams, bit for bit. `Engine` is a concrete generator, so that loops over draws have no indirect call.
//
// Normal and exponential: the ziggurat method (Marsaglia and Tsang 2000). Bounded integers: D. Lemire, "Fast
// Random Integer Generation in an Interval" (ACM TOMACS 29, 2019), or, in the legacy stream, masking with
// rejection.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>

#include "runtime/random/ziggurat_tables.h"

namespace autoray::runtime {

template <class Engine>
float next_float(Engine& engine) {
  return static_cast<float>(engine.next_uint32() >> 8) * 0x1p-24f;
}

template <class Engine>
double standard_normal(Engine& engine) {
  namespace z = ziggurat;
  for (;;) {
    std::uint64_t word = engine.next_uint64();
    auto layer = static_cast<std::size_t>(word & 0xff);
    word >>= 8;
    bool negative = word & 1;
    std::uint64_t bits = word >> 1 & 0x000fffffffffffff;
    double x = static_cast<double>(bits) * z::normal_width_double[layer];
    if (negative) x = -x;
    if (bits < z::normal_key_double[layer]) [[likely]]
      return x;
    if (layer == 0) {
      for (;;) {
        double beyond = -z::normal_inverse_r * std::log1p(-engine.next_double());
        double y = -std::log1p(-engine.next_double());
        if (y + y > beyond * beyond) return bits >> 8 & 1 ? -(z::normal_r + beyond) : z::normal_r + beyond;
      }
    }
    double below = z::normal_density_double[layer], height = z::normal_density_double[layer - 1] - below;
    if (height * engine.next_double() + below < std::exp(-0.5 * x * x)) return x;
  }
}

template <class Engine>
float standard_normal_float(Engine& engine) {
  namespace z = ziggurat;
  for (;;) {
    std::uint32_t word = engine.next_uint32();
    auto layer = static_cast<std::size_t>(word & 0xff);
    bool negative = word >> 8 & 1;
    std::uint32_t bits = word >> 9 & 0x007fffff;
    float x = static_cast<float>(bits) * z::normal_width_float[layer];
    if (negative) x = -x;
    if (bits < z::normal_key_float[layer]) [[likely]]
      return x;
    if (layer == 0) {
      for (;;) {
        float beyond = -z::normal_inverse_r_float * log1pf(-next_float(engine));
        float y = -log1pf(-next_float(engine));
        if (y + y > beyond * beyond) return bits >> 8 & 1 ? -(z::normal_r_float + beyond) : z::normal_r_float + beyond;
      }
    }
    float below = z::normal_density_float[layer], height = z::normal_density_float[layer - 1] - below;
    if (static_cast<double>(height * next_float(engine) + below) <
        std::exp(-0.5 * static_cast<double>(x) * static_cast<double>(x)))
      return x;
  }
}

template <class Engine>
double standard_exponential(Engine& engine) {
  namespace z = ziggurat;
  for (;;) {
    std::uint64_t word = engine.next_uint64() >> 3;
    auto layer = static_cast<std::size_t>(word & 0xff);
    std::uint64_t bits = word >> 8;
    double x = static_cast<double>(bits) * z::exponential_width_double[layer];
    if (bits < z::exponential_key_double[layer]) [[likely]]
      return x;
    if (layer == 0) return z::exponential_r - std::log1p(-engine.next_double());
    double below = z::exponential_density_double[layer], height = z::exponential_density_double[layer - 1] - below;
    if (height * engine.next_double() + below < std::exp(-x)) return x;
  }
}

template <class Engine>
float standard_exponential_float(Engine& engine) {
  namespace z = ziggurat;
  for (;;) {
    std::uint32_t word = engine.next_uint32() >> 1;
    auto layer = static_cast<std::size_t>(word & 0xff);
    std::uint32_t bits = word >> 8;
    float x = static_cast<float>(bits) * z::exponential_width_float[layer];
    if (bits < z::exponential_key_float[layer]) [[likely]]
      return x;
    if (layer == 0) return z::exponential_r_float - log1pf(-next_float(engine));
    float below = z::exponential_density_float[layer], height = z::exponential_density_float[layer - 1] - below;
    if (height * next_float(engine) + below < expf(-x)) return x;
  }
}

// By inversion.
template <class Engine>
double inverse_exponential(Engine& engine) {
  return -std::log1p(-engine.next_double());
}
template <class Engine>
float inverse_exponential_float(Engine& engine) {
  return -log1pf(-next_float(engine));
}

// The legacy stream's normal: Marsaglia's polar method; `second` keeps the other of the pair.
template <class Engine>
double polar_normal(Engine& engine, std::optional<double>& second) {
  if (second) {
    double kept = *second;
    second.reset();
    return kept;
  }
  double x, y, r2;
  do {
    x = 2.0 * engine.next_double() - 1.0;
    y = 2.0 * engine.next_double() - 1.0;
    r2 = x * x + y * y;
  } while (r2 >= 1.0 || r2 == 0.0);
  double factor = std::sqrt(-2.0 * std::log(r2) / r2);
  second = factor * x;
  return factor * y;
}

// ---- integers in [0, range], range included ----

enum class Bounding : std::uint8_t { Lemire, Masked };

// Small draws share a 32-bit word: 4 bytes, 2 halves or 32 bits of it, lowest first. It lives as long as one
// call of `integers`.
struct WordBuffer {
  std::uint32_t word = 0;
  int left = 0;

  template <class Engine, int kBits>
  std::uint32_t next(Engine& engine) {
    if (left == 0) {
      word = engine.next_uint32();
      left = 32 / kBits - 1;
    } else {
      word >>= kBits;
      --left;
    }
    return word & static_cast<std::uint32_t>((std::uint64_t{1} << kBits) - 1);
  }
};

inline std::uint64_t mask_above(std::uint64_t range) { return range == 0 ? 0 : ~std::uint64_t{0} >> std::countl_zero(range); }

template <class Engine>
std::uint32_t bounded_uint32(Engine& engine, std::uint32_t range, Bounding bounding) {
  if (range == 0) return 0;
  if (range == 0xffffffffu) return engine.next_uint32();
  if (bounding == Bounding::Masked) {
    auto mask = static_cast<std::uint32_t>(mask_above(range));
    std::uint32_t value;
    while ((value = engine.next_uint32() & mask) > range) {
    }
    return value;
  }
  std::uint32_t excluded = range + 1;
  std::uint64_t product = std::uint64_t{engine.next_uint32()} * excluded;
  if (static_cast<std::uint32_t>(product) < excluded) {
    std::uint32_t threshold = (0xffffffffu - range) % excluded;
    while (static_cast<std::uint32_t>(product) < threshold) product = std::uint64_t{engine.next_uint32()} * excluded;
  }
  return static_cast<std::uint32_t>(product >> 32);
}

template <class Engine>
std::uint64_t bounded_uint64(Engine& engine, std::uint64_t range, Bounding bounding) {
  if (range <= 0xffffffffu) return bounded_uint32(engine, static_cast<std::uint32_t>(range), bounding);
  if (range == ~std::uint64_t{0}) return engine.next_uint64();
  if (bounding == Bounding::Masked) {
    std::uint64_t mask = mask_above(range), value;
    while ((value = engine.next_uint64() & mask) > range) {
    }
    return value;
  }
  using Word128 = unsigned __int128;
  std::uint64_t excluded = range + 1;
  Word128 product = Word128{engine.next_uint64()} * excluded;
  if (static_cast<std::uint64_t>(product) < excluded) {
    std::uint64_t threshold = (~std::uint64_t{0} - range) % excluded;
    while (static_cast<std::uint64_t>(product) < threshold) product = Word128{engine.next_uint64()} * excluded;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

// 8 or 16 bits.
template <int kBits, class Engine>
std::uint32_t bounded_small(Engine& engine, std::uint32_t range, Bounding bounding, WordBuffer& buffer) {
  constexpr std::uint32_t kAll = (1u << kBits) - 1;
  if (range == 0) return 0;
  if (range == kAll) return buffer.next<Engine, kBits>(engine);
  if (bounding == Bounding::Masked) {
    auto mask = static_cast<std::uint32_t>(mask_above(range));
    std::uint32_t value;
    while ((value = buffer.next<Engine, kBits>(engine) & mask) > range) {
    }
    return value;
  }
  std::uint32_t excluded = range + 1;
  std::uint32_t product = buffer.next<Engine, kBits>(engine) * excluded;
  if ((product & kAll) < excluded) {
    std::uint32_t threshold = (kAll - range) % excluded;
    while ((product & kAll) < threshold) product = buffer.next<Engine, kBits>(engine) * excluded;
  }
  return product >> kBits;
}

template <class Engine>
bool bounded_bool(Engine& engine, bool low, bool range, WordBuffer& buffer) {
  if (!range) return low;
  return buffer.next<Engine, 1>(engine) != 0;
}

// The legacy stream's index in [0, range].
template <class Engine>
std::uint64_t interval(Engine& engine, std::uint64_t range) {
  return bounded_uint64(engine, range, Bounding::Masked);
}

}  // namespace autoray::runtime
