#include "codegen/object/in_place.h"

#include <algorithm>

namespace autoray::codegen::object {
namespace {

// An access with its numbers filled in.
struct Walked {
  std::int64_t offset;
  ir::Dims strides;
  friend bool operator==(const Walked&, const Walked&) = default;
};

}  // namespace

std::optional<std::vector<NestOfStep>> in_place(const Program& program, std::uint32_t argument, std::uint32_t output) {
  std::vector<NestOfStep> copies;
  bool begun = false;
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const ProgramStep& step = program.steps[s];
    const Kernel& kernel = program.sources[step.number];
    static constexpr Place kNowhere{Home::Constants};
    auto place = [&](const Access& access) -> const Place& {
      return access.buffer == kNoBuffer ? kNowhere : program.buffers[step.first + access.buffer];
    };
    auto walked = [&](const Access& access) {
      Walked w{place(access).offset, {}};
      for (const Number& n : access.strides)
        w.strides.push_back(n.constant ? n.value : program.arguments[step.first_argument + static_cast<std::size_t>(n.value)]);
      return w;
    };
    auto writes_there = [&](const Nest& nest) {
      return std::ranges::any_of(nest.stores, [&](const Store& store) {
        return place(store.to).home == Home::Output && place(store.to).number == output;
      });
    };
    // Each turn is behind the writes of those before.
    if (kernel.turns && std::ranges::any_of(kernel.nests, writes_there)) begun = true;
    for (std::size_t k = 0; k < kernel.nests.size(); ++k) {
      const Nest& nest = kernel.nests[k];
      std::vector<Walked> reads, writes;
      for (const Access& load : nest.loads)
        if (place(load).home == Home::Argument && place(load).number == argument) reads.push_back(walked(load));
      for (const Store& store : nest.stores)
        if (place(store.to).home == Home::Output && place(store.to).number == output) writes.push_back(walked(store.to));
      if (begun && !reads.empty()) return std::nullopt;
      if (writes.empty()) continue;
      // Indices may look anywhere.
      bool indexed = std::any_of(nest.body.begin(), nest.body.end(), [](const Instr& i) { return i.prim == Prim::Gather; });
      if (indexed && !reads.empty()) return std::nullopt;
      for (const Walked& read : reads)
        for (const Walked& write : writes)
          if (nest.folds || !(read == write)) return std::nullopt;
      bool copy =
          !nest.folds && nest.body.size() == 1 && nest.stores.size() == 1 && reads.size() == 1 && nest.registers.empty();
      if (copy)
        copies.push_back({s, k});
      else
        begun = true;
    }
  }
  return copies;
}

}  // namespace autoray::codegen::object
