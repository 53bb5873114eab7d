// What generated code is given besides its buffers and arguments.
#pragma once

#include <atomic>
#include <cstdint>

namespace autoray::codegen {

// The first and the last byte but one of a buffer, for the checking mode.
struct Limits {
  const char* begin;
  const char* end;
};

inline const std::atomic<int> kNeverStops{0};

struct Context {
  const std::atomic<int>* stop = &kNeverStops;  // not 0: the run is asked to end
  bool stopped = false;                         // code has ended early because of it, its results unfinished
  const Limits* limits = nullptr;               // by buffer of the running kernel; null unless bounds are checked
  std::int64_t failed_buffer = -1;              // the first access out of bounds
  std::int64_t failed_index = 0;                // the number that a failed check tells
  alignas(64) char nowhere[64] = {};            // where it went instead
};

// 0, or 1 + the number of the check that found an index out of bounds.
using KernelFunction = std::int32_t (*)(Context* context, char* const* buffers, const std::int64_t* arguments);

}  // namespace autoray::codegen
