// Sources of random bits, and the state that a stream of draws carries from one draw to the next. A draw's
// inner loop runs on one engine type, chosen once a call (`visit`), so a 64-bit word costs 1-2 ns.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "runtime/random/seed_sequence.h"

namespace autoray::runtime {

// M. E. O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random
// Number Generation" (2014): a 128-bit linear congruential generator with the XSL-RR output function. numpy's
// default.
class Pcg64 {
 public:
  explicit Pcg64(const SeedSequence& seed);

  std::uint64_t next_uint64() {
    state_ = state_ * kMultiplier + increment_;
    auto folded = static_cast<std::uint64_t>(state_ >> 64) ^ static_cast<std::uint64_t>(state_);
    auto rotation = static_cast<unsigned>(state_ >> 122);
    return folded >> rotation | folded << (-rotation & 63);
  }
  // A 64-bit word serves two requests, its low half first.
  std::uint32_t next_uint32() {
    if (has_half_) {
      has_half_ = false;
      return half_;
    }
    std::uint64_t word = next_uint64();
    has_half_ = true;
    half_ = static_cast<std::uint32_t>(word >> 32);
    return static_cast<std::uint32_t>(word);
  }
  double next_double() { return static_cast<double>(next_uint64() >> 11) * 0x1p-53; }

 private:
  using Word128 = unsigned __int128;
  static constexpr Word128 kMultiplier = Word128{0x2360ed051fc65da4} << 64 | 0x4385df649fccf645;

  Word128 state_, increment_;
  bool has_half_ = false;
  std::uint32_t half_ = 0;
};

// M. Matsumoto, T. Nishimura, "Mersenne Twister", ACM TOMACS 8 (1998): the stream behind np.random.seed and
// its family.
class Mt19937 {
 public:
  explicit Mt19937(std::uint32_t seed);                    // init_genrand
  explicit Mt19937(std::span<const std::uint32_t> seeds);  // init_by_array
  explicit Mt19937(const SeedSequence& seed);

  std::uint32_t next_uint32() {
    if (position_ == kSize) refill();
    std::uint32_t y = words_[position_++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
  }
  std::uint64_t next_uint64() {
    std::uint64_t high = next_uint32();
    return high << 32 | next_uint32();
  }
  double next_double() {
    std::uint32_t high = next_uint32() >> 5, low = next_uint32() >> 6;
    return (high * 67108864.0 + low) / 9007199254740992.0;
  }

 private:
  static constexpr std::size_t kSize = 624, kShift = 397;
  void refill();

  std::array<std::uint32_t, kSize> words_;
  std::size_t position_ = kSize;
};

class Object;

struct BitGenerator {
  explicit BitGenerator(Pcg64 generator) : engine(std::move(generator)) {}
  explicit BitGenerator(Mt19937 generator) : engine(std::move(generator)) {}

  std::uint64_t next_uint64() {
    return std::visit([](auto& e) { return e.next_uint64(); }, engine);
  }
  std::uint32_t next_uint32() {
    return std::visit([](auto& e) { return e.next_uint32(); }, engine);
  }
  double next_double() {
    return std::visit([](auto& e) { return e.next_double(); }, engine);
  }
  const char* name() const { return std::holds_alternative<Pcg64>(engine) ? "PCG64" : "MT19937"; }

  // The object of the language that this stream is part of; null for the runtime's own.
  Object* owner = nullptr;

  std::variant<Pcg64, Mt19937> engine;
  // The polar method makes normals in pairs; the legacy stream keeps the second one.
  std::optional<double> second_normal;
};

}  // namespace autoray::runtime
