#include "runtime/random/seed_sequence.h"

#include <sys/random.h>

#include <random>

namespace autoray::runtime {
namespace {

constexpr std::uint32_t kInitA = 0x43b0d7e5, kMultA = 0x931e8875, kInitB = 0x8b51f9dd, kMultB = 0x58f38ded;
constexpr std::uint32_t kMixLeft = 0xca01f9dd, kMixRight = 0x4973f715;
constexpr int kShift = 16;

std::uint32_t hash(std::uint32_t value, std::uint32_t& constant, std::uint32_t multiplier) {
  value ^= constant;
  constant *= multiplier;
  value *= constant;
  return value ^ (value >> kShift);
}

std::uint32_t mix(std::uint32_t x, std::uint32_t y) {
  std::uint32_t result = kMixLeft * x - kMixRight * y;
  return result ^ (result >> kShift);
}

}  // namespace

SeedSequence::SeedSequence(std::vector<std::uint32_t> entropy, std::vector<std::uint32_t> spawn_key)
    : entropy_(std::move(entropy)), spawn_key_(std::move(spawn_key)) {
  std::vector<std::uint32_t> words = entropy_;
  if (!spawn_key_.empty() && words.size() < pool_.size()) words.resize(pool_.size(), 0);
  words.insert(words.end(), spawn_key_.begin(), spawn_key_.end());
  std::uint32_t constant = kInitA;
  for (std::size_t i = 0; i < pool_.size(); ++i) pool_[i] = hash(i < words.size() ? words[i] : 0, constant, kMultA);
  for (std::size_t from = 0; from < pool_.size(); ++from)
    for (std::size_t to = 0; to < pool_.size(); ++to)
      if (from != to) pool_[to] = mix(pool_[to], hash(pool_[from], constant, kMultA));
  for (std::size_t from = pool_.size(); from < words.size(); ++from)
    for (std::uint32_t& word : pool_) word = mix(word, hash(words[from], constant, kMultA));
}

SeedSequence SeedSequence::from_system() {
  std::vector<std::uint32_t> words(4);
  if (getrandom(words.data(), 16, 0) != 16) {
    std::random_device device;
    for (std::uint32_t& word : words) word = device();
  }
  return SeedSequence(std::move(words));
}

void SeedSequence::generate(std::span<std::uint32_t> words) const {
  std::uint32_t constant = kInitB;
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = hash(pool_[i % pool_.size()], constant, kMultB);
}

void SeedSequence::generate(std::span<std::uint64_t> words) const {
  std::vector<std::uint32_t> halves(2 * words.size());
  generate(std::span<std::uint32_t>(halves));
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = halves[2 * i] | std::uint64_t{halves[2 * i + 1]} << 32;
}

SeedSequence SeedSequence::spawn() {
  std::vector<std::uint32_t> key = spawn_key_;
  key.push_back(children_++);
  return SeedSequence(entropy_, std::move(key));
}

}  // namespace autoray::runtime
