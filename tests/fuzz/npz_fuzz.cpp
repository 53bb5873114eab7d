// Any bytes as an .npz archive: its members read, or ir::Error.
#include <cstdint>

#include "ir/error.h"
#include "runtime/files/npy.h"
#include "runtime/runtime.h"

using namespace autoray;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static auto* runtime = new runtime::Runtime({.max_memory = 64 << 20});
  try {
    runtime::NpzReader reader(std::span<const char>(reinterpret_cast<const char*>(data), size));
    for (std::size_t i = 0; i < reader.members().size() && i < 16; ++i) {
      try {
        if (reader.is_array(i))
          (void)reader.read_array(*runtime, i);
        else
          (void)reader.read_bytes(*runtime, i);
      } catch (const ir::Error&) {
      }
    }
  } catch (const ir::Error&) {
  }
  return 0;
}
