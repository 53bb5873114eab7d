// Whether a new version of an argument can be made in the argument's own memory, where a program makes it beside it.
#pragma once

#include <optional>
#include <vector>

#include "codegen/program.h"

namespace autoray::codegen::object {

struct NestOfStep {
  std::size_t step, nest;
};

// The nests that only copy the old version, which are then nothing to do; nullopt where something reads the old version after
// the new one was begun, or at another place while it is written. Both are dense, of one type. Linear in the steps.
std::optional<std::vector<NestOfStep>> in_place(const Program& program, std::uint32_t argument, std::uint32_t output);

}  // namespace autoray::codegen::object
