// The runtime's own stream (np.random.seed and its family), and how a kernel of a draw finds the stream that
// it changes.
#pragma once

#include "runtime/kernel.h"
#include "runtime/random/bit_generator.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

struct RandomState {
  BitGenerator stream{Mt19937(SeedSequence::from_system())};
};

// Seeded by the operating system until np.random.seed is called.
BitGenerator& legacy_stream(Runtime& runtime);
// The generator that the call came with; the runtime's own for random.*. TypeError where a Generator row was
// called without.
BitGenerator& stream_of(KernelCall& call);

}  // namespace autoray::runtime
