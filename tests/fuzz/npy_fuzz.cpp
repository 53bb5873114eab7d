// Any bytes as an .npy file: an array, which written again reads the same, or ir::Error.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "ir/error.h"
#include "runtime/convert.h"
#include "runtime/files/npy.h"
#include "runtime/runtime.h"

using namespace autoray;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static auto* runtime = new runtime::Runtime({.max_memory = 64 << 20});
  runtime::Array array;
  try {
    runtime::SpanSource source({reinterpret_cast<const char*>(data), size});
    array = runtime::read_npy(*runtime, source);
  } catch (const ir::Error&) {
    return 0;
  }
  if (!array.c_contiguous() && !array.f_contiguous()) std::abort();
  runtime::Array plain = runtime::converted(*runtime, array, array.dtype);
  std::string bytes = runtime::npy_header(plain);
  bytes.append(plain.data, static_cast<std::size_t>(plain.nbytes()));
  runtime::SpanSource again(bytes);
  runtime::Array same = runtime::read_npy(*runtime, again);
  if (same.dtype != array.dtype || same.shape != array.shape) std::abort();
  if (plain.nbytes() && std::memcmp(same.data, plain.data, static_cast<std::size_t>(plain.nbytes())) != 0) std::abort();
  return 0;
}
