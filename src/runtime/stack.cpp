#include "runtime/stack.h"

#include <pthread.h>

#include <algorithm>

#include "ir/error.h"

namespace autoray::runtime {
namespace {

constexpr std::size_t kReserve = 512 << 10;             // left for native code that asks no more
constexpr std::size_t kAssumed = std::size_t{8} << 20;  // where the system does not tell
constexpr std::size_t kAtMost = std::size_t{64} << 20;  // an unlimited stack is no licence to fill the memory

std::uintptr_t lowest_allowed() {
  auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  std::uintptr_t lowest = here - kAssumed + kReserve;
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return lowest + kReserve;
  void* bottom = nullptr;
  std::size_t size = 0;
  if (pthread_attr_getstack(&attributes, &bottom, &size) == 0) {
    lowest = reinterpret_cast<std::uintptr_t>(bottom);
    if (size > kAtMost) lowest += size - kAtMost;
  }
  pthread_attr_destroy(&attributes);
  return lowest + std::min(kReserve, (here - lowest) / 4);
}

}  // namespace

constinit thread_local std::uintptr_t known_stack_limit = 0;

std::uintptr_t find_stack_limit() { return known_stack_limit = lowest_allowed(); }

void check_stack() {
  if (stack_low()) [[unlikely]]
    throw ir::Error(ir::ErrorClass::RecursionError, "maximum recursion depth exceeded");
}

}  // namespace autoray::runtime
