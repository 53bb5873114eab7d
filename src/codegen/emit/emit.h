// From kernel IR to LLVM IR. Vectors are written out (no vectoriser decides): a nest works on vectors as wide as the machine's
// over its last dimension, or over a kept one where that is the contiguous one; what is left of a row goes through masked loads
// whose idle lanes repeat the first element, so that they cause no floating-point event that no element causes.
//
// The functions' ABI is `int32_t kernel(Context*, char* const* buffers, const int64_t* arguments)`.
#pragma once

#include <string>
#include <string_view>

#include "codegen/kernel.h"

namespace llvm {
class Module;
}

namespace autoray::codegen {

// How large folds bring in what they read next. Intel's processors are a tenth faster for being told of it by prefetches, AMD's
// take half as long again; those are a tenth faster where a few lines of each array are read in turn before they are computed
// with: streams that advance line by line side by side wait for each other in the memory.
enum class FetchAhead : std::uint8_t { None, Prefetch, Burst };

struct EmitOptions {
  int vector_bytes = 64;
  bool tells_events = true;   // somebody looks at the processor's floating-point flags
  bool polls = false;         // long loops look for a stop (Context::stop)
  bool check_bounds = false;  // every access is compared with its buffer's ends (Context::limits)
  FetchAhead fetch_ahead = FetchAhead::Prefetch;
};

// Of a processor of LLVM's name.
FetchAhead fetch_ahead(std::string_view cpu);

// Adds a function of that name to the module.
void emit(const Kernel& kernel, llvm::Module& module, const std::string& function_name, const EmitOptions& options);

// The symbol of a vector function, which whoever links the code must provide.
std::string vector_symbol(int function, bool single);
// Of a function of complex numbers (runtime/elementwise/complex_math.h).
std::string complex_symbol(int function, bool single);

}  // namespace autoray::codegen
