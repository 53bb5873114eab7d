// From a seed of any size to the words that initialise a bit generator: every bit of the seed reaches every
// bit of the state (M. E. O'Neill, "Developing a seed_seq Alternative", 2015, as numpy.random.SeedSequence
// defines it). A few hundred ns.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace autoray::runtime {

class SeedSequence {
 public:
  // 32-bit words of the seed, lowest first: {0} for the seed 0; the words of a list of seeds follow one
  // another.
  explicit SeedSequence(std::vector<std::uint32_t> entropy, std::vector<std::uint32_t> spawn_key = {});
  // 128 bits from the operating system.
  static SeedSequence from_system();

  void generate(std::span<std::uint32_t> words) const;
  void generate(std::span<std::uint64_t> words) const;
  // An independent sequence; each call gives another one.
  SeedSequence spawn();

 private:
  std::vector<std::uint32_t> entropy_, spawn_key_;
  std::uint32_t children_ = 0;
  std::array<std::uint32_t, 4> pool_;
};

}  // namespace autoray::runtime
