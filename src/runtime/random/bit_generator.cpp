#include "runtime/random/bit_generator.h"

#include <algorithm>

namespace autoray::runtime {

Pcg64::Pcg64(const SeedSequence& seed) {
  std::array<std::uint64_t, 4> words;
  seed.generate(std::span<std::uint64_t>(words));
  Word128 start = Word128{words[0]} << 64 | words[1], stream = Word128{words[2]} << 64 | words[3];
  increment_ = stream << 1 | 1;
  state_ = increment_ + start;  // one step from zero, then the start
  state_ = state_ * kMultiplier + increment_;
}

Mt19937::Mt19937(std::uint32_t seed) {
  for (std::size_t i = 0; i < kSize; ++i) {
    words_[i] = seed;
    seed = 1812433253u * (seed ^ seed >> 30) + static_cast<std::uint32_t>(i) + 1;
  }
}

Mt19937::Mt19937(std::span<const std::uint32_t> seeds) : Mt19937(std::uint32_t{19650218}) {
  std::size_t i = 1, j = 0;
  for (std::size_t k = std::max(kSize, seeds.size()); k > 0; --k) {
    words_[i] = (words_[i] ^ (words_[i - 1] ^ words_[i - 1] >> 30) * 1664525u) + seeds[j] + static_cast<std::uint32_t>(j);
    if (++i >= kSize) {
      words_[0] = words_[kSize - 1];
      i = 1;
    }
    if (++j >= seeds.size()) j = 0;
  }
  for (std::size_t k = kSize - 1; k > 0; --k) {
    words_[i] = (words_[i] ^ (words_[i - 1] ^ words_[i - 1] >> 30) * 1566083941u) - static_cast<std::uint32_t>(i);
    if (++i >= kSize) {
      words_[0] = words_[kSize - 1];
      i = 1;
    }
  }
  words_[0] = 0x80000000u;
}

Mt19937::Mt19937(const SeedSequence& seed) {
  seed.generate(std::span<std::uint32_t>(words_));
  words_[0] = 0x80000000u;
}

void Mt19937::refill() {
  auto twist = [](std::uint32_t high, std::uint32_t low) {
    std::uint32_t y = (high & 0x80000000u) | (low & 0x7fffffffu);
    return y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0u);
  };
  for (std::size_t i = 0; i < kSize; ++i) words_[i] = words_[(i + kShift) % kSize] ^ twist(words_[i], words_[(i + 1) % kSize]);
  position_ = 0;
}

}  // namespace autoray::runtime
