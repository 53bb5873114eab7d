// What a call comes to where no element of an operand has a say: there are none, or a number is refused whatever it meets.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "ir/error.h"
#include "ir/graph/block.h"
#include "runtime/runtime.h"

namespace autoray::codegen {

// The error with which it ends, or a result, which may have a number that is in all of its places; neither where it is not
// known.
struct Outcome {
  std::shared_ptr<const ir::Error> error = {};
  bool result = false;
  std::optional<double> value = {};
};

// Runs the eager kernel once, and tells nobody. Operands that are null are absent.
Outcome outcome_of(runtime::Runtime& runtime, const ir::BlockNode& node, std::span<const ir::Attr> attrs,
                   std::span<const ir::Type> types, std::span<const runtime::Operand> operands);

}  // namespace autoray::codegen
