// How much of the calling thread's stack is left: what a script nests (calls, iterators, containers) is bounded by it. Asking
// costs one thread-local load and a comparison; the first question of a thread reads its limits.
#pragma once

#include <cstdint>

namespace autoray::runtime {

// The lowest address that recursion over a script's values may reach, 0 before the thread's first question: what lies below is
// left for one leaf call.
extern constinit thread_local std::uintptr_t known_stack_limit;
std::uintptr_t find_stack_limit();
inline std::uintptr_t stack_limit() { return known_stack_limit ? known_stack_limit : find_stack_limit(); }

inline bool stack_low() { return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) < stack_limit(); }
// Throws RecursionError "maximum recursion depth exceeded" when the stack is low.
void check_stack();

}  // namespace autoray::runtime
