// Any bytes as a table of numbers: loadtxt gives a table or ir::Error. The first bytes choose the options.
#include <cstdint>
#include <cstdlib>

#include "ir/error.h"
#include "runtime/files/text_file.h"
#include "runtime/runtime.h"

using namespace autoray;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  static auto* runtime = new runtime::Runtime({.max_memory = 64 << 20});
  runtime::LoadTextOptions options;
  options.dtype = static_cast<ir::DType>(data[0] % ir::kDTypeCount);
  if (data[1] & 1) options.delimiter = data[1] & 2 ? ',' : static_cast<char>(data[2]);
  if (data[1] & 4) options.quote = '"';
  if (data[1] & 8) options.comments = {"#", "//"};
  if (data[1] & 16) options.skip_rows = data[1] >> 5;
  if (data[2] & 1) options.columns = std::vector<std::int64_t>{data[2] >> 4, -1};
  if (data[2] & 2) options.max_rows = data[2] >> 3;
  try {
    runtime::Array table = runtime::parse_text(*runtime, {reinterpret_cast<const char*>(data) + 3, size - 3}, options);
    if (table.ndim() != 2 || table.dtype != options.dtype) std::abort();
  } catch (const ir::Error&) {
  }
  return 0;
}
