#include "runtime/random/random_state.h"

#include "ir/error.h"

namespace autoray::runtime {

BitGenerator& legacy_stream(Runtime& runtime) {
  if (!runtime.random) runtime.random = std::make_shared<RandomState>();
  return runtime.random->stream;
}

BitGenerator& stream_of(KernelCall& call) {
  if (call.random) return *call.random;
  if (call.op.path.starts_with("Generator."))
    throw ir::Error(ir::ErrorClass::TypeError,
                    std::string(call.op.path) + " is a method: call it on a generator made by random.default_rng");
  return legacy_stream(call.runtime);
}

}  // namespace autoray::runtime
