// np.random.default_rng's Generator, RandomState, and what they are made from, as values of the language. A
// method call binds numpy's signature and runs the op table's row on the object's own stream.
#pragma once

#include <memory>

#include "runtime/objects.h"
#include "runtime/random/bit_generator.h"

namespace autoray::runtime {

// np.random.SeedSequence(...)
struct SeedSequenceObject final : NativeObject {
  explicit SeedSequenceObject(SeedSequence s) : sequence(std::move(s)) {}
  std::string native_type() const override { return "SeedSequence"; }
  bool get_attribute(Runtime& runtime, std::string_view name, Value& result) override;
  std::vector<std::string> attribute_names() const override { return {"generate_state", "spawn"}; }
  SeedSequence sequence;
};

// np.random.PCG64(...), rng.bit_generator
struct BitGeneratorObject final : NativeObject {
  BitGeneratorObject(BitGenerator g, SeedSequence s) : generator(std::move(g)), seed(std::move(s)) { generator.owner = this; }
  std::string native_type() const override { return generator.name(); }
  bool get_attribute(Runtime& runtime, std::string_view name, Value& result) override;
  std::vector<std::string> attribute_names() const override { return {"random_raw", "seed_seq"}; }
  BitGenerator generator;
  SeedSequence seed;  // for spawn
};

struct GeneratorObject final : NativeObject {
  explicit GeneratorObject(Ref<BitGeneratorObject> b) : bits(std::move(b)) {}
  std::string native_type() const override { return "Generator"; }
  bool get_attribute(Runtime& runtime, std::string_view name, Value& result) override;
  std::vector<std::string> attribute_names() const override;
  std::string repr() const override { return std::string("Generator(") + bits->generator.name() + ")"; }
  Ref<BitGeneratorObject> bits;
};

// The legacy methods on a stream of their own: np.random.RandomState(seed).
struct RandomStateObject final : NativeObject {
  explicit RandomStateObject(BitGenerator g) : generator(std::move(g)) { generator.owner = this; }
  std::string native_type() const override { return "RandomState"; }
  bool get_attribute(Runtime& runtime, std::string_view name, Value& result) override;
  std::vector<std::string> attribute_names() const override;
  std::string repr() const override { return "RandomState(MT19937)"; }
  BitGenerator generator;
};

}  // namespace autoray::runtime
