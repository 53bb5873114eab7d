// Steps that each wait for the one before, as loops of one kernel.
#pragma once

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "codegen/draft.h"

namespace autoray::codegen {

// What a step hands to its kernel.
struct Operands {
  std::span<const Instance::Buffer> buffers;
  std::span<const Place> places;  // of the buffers
  std::span<const std::int64_t> numbers;
};

// An item that a step puts into memory and the next one takes up: as an item of its own, as in x[i] = a * x[i-1] + b[i], or as
// the last of those that it sums, as in x[i] = (b[i] - L[i, :i] @ x[:i]) / L[i, i].
struct Recurrence {
  std::size_t nest, store;                                 // of the item
  std::vector<std::pair<std::size_t, std::size_t>> loads;  // nests, and which of their loads
  friend bool operator==(const Recurrence&, const Recurrence&) = default;
};

// Whether steps of that kernel may be those of a recurrence.
bool may_recur(const Kernel& kernel);
// Whether `a` and `b`, the next step, are.
std::optional<Recurrence> find_recurrence(const Kernel& kernel, const Operands& a, const Operands& b);
// Whether step `c` is after `b` what `b` is after `a`.
bool continues(const Operands& a, const Operands& b, const Operands& c);

// The kernel of `count` such steps, of which the first are `a` and `b`. Its places are `a`'s; to `numbers`, which begins with
// `a`'s, what else it is handed is added. The item goes to the next turn in a register: by way of memory it takes a processor
// twice as long as the addition that waits for it.
Kernel in_turns(const Recurrence& r, const Kernel& kernel, const Operands& a, const Operands& b, std::int64_t count,
                std::vector<std::int64_t>& numbers);

}  // namespace autoray::codegen
