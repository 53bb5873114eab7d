#include "codegen/builder.h"

#include <algorithm>
#include <optional>

#include "codegen/expand.h"
#include "codegen/kernel_builder.h"
#include "ir/error.h"
#include "ir/rules/movement.h"

namespace autoray::codegen {

using ir::Dims;
using ir::DType;
using ir::Index;
using ir::kNoIndex;
using ir::NodeKind;
using ir::OpId;

namespace {

// A kernel is compiled for its very extents where the plan has at most so many
// different ones of it.
constexpr std::size_t kSpecialisations = 4;

class Builder {
 public:
  Builder(runtime::Runtime& runtime, Jit* jit, const ir::Block& block, std::span<const ArgumentInfo> arguments,
          const GivenRoles& given)
      : runtime_(runtime),
        jit_(jit),
        block_(block),
        arguments_(arguments),
        roles_(runtime, block, arguments, given, !jit),
        program_(std::make_shared<Program>()),
        memory_(runtime, block, arguments, roles_, *program_) {}

  std::shared_ptr<Program> build() {
    program_->argument_count = static_cast<std::uint32_t>(block_.arguments.size());
    program_->checks_bounds = jit_ && jit_->checks_bounds();
    groups_ = make_groups(block_, roles_, memory_.root_node, memory_.in_place, memory_.joined);
    KernelBuilder builder(runtime_, block_, roles_, memory_, groups_);
    for (Index g = 0; g < groups_.list.size(); ++g) {
      group_ = g;
      Index first = groups_.list[g].nodes[0];
      if (roles_[first].role == Role::Routine)
        routine(first);
      else if (groups_.list[g].call)
        call(first);
      else
        add_kernel(builder.kernel(g));
    }
    memory_.pack(static_cast<Index>(groups_.list.size()));
    finish();
    return program_;
  }

 private:
  void add_kernel(KernelDraft draft) {
    kernels_.push_back(std::move(draft));
    steps_.push_back({Step::Kernel, kNoIndex});
  }

  // ---- calls ----

  void routine(Index i) {
    memory_.touch(memory_.where[i].root, group_);
    for (Index operand : block_.inputs(i)) memory_.touch(memory_.where[operand].root, group_);
    steps_.push_back({Step::Routine, i});
  }

  void call(Index i) {
    const ir::BlockNode& n = block_.nodes[i];
    RuntimeCall c;
    c.op = n.op;
    c.backend = n.backend;
    c.attrs = roles_.attrs(i);
    c.reason = roles_[i].reason;
    c.source = n.source;
    const ir::Op& op = ir::op(n.op);
    c.random = op.has(ir::kRandom);
    auto inputs = block_.inputs(i);
    std::vector<RootId> roots;
    for (Index x : inputs) {
      Located located;
      located.present = x != kNoIndex;
      roots.push_back(located.present ? memory_.where[x].root : kNoRoot);
      if (located.present) {
        memory_.touch(memory_.where[x].root, group_);
        located.place.offset = memory_.where[x].layout.offset;
        located.type = block_.type(x);
        located.strides = memory_.where[x].layout.strides;
      }
      c.inputs.push_back(std::move(located));
    }
    std::size_t operands = inputs.size() - (c.random ? 2 : 0), others = 0, at = 0;
    for (char letter : op.operands) others += letter == 'A' || letter == 'B' || letter == 'O';
    for (char letter : op.operands) {
      if (letter == 'S') {
        c.groups.push_back(static_cast<std::uint32_t>(operands - others));
        at += operands - others;
      } else if (letter == 'A' || letter == 'B' || letter == 'O') {
        c.groups.push_back(c.inputs[at++].present ? 1 : 0);
      }
    }
    auto types = block_.types(i);
    c.types.assign(types.begin(), types.end());
    RootId first = memory_.first_dynamic_root(i);
    c.first_dynamic = memory_.roots[first].number;
    for (std::size_t k = 0; k < types.size(); ++k) memory_.touch(first + static_cast<RootId>(k), group_);
    steps_.push_back({Step::Call, static_cast<Index>(program_->calls.size())});
    program_->calls.push_back(std::move(c));
    call_roots_.push_back(std::move(roots));
  }

  void finish() {
    // Kernels that differ in extents alone are a family: one kernel with extents as arguments, or one for each extents where
    // there are few. A member's text follows from the family and the extents, so it is written once.
    struct Member {
      Dims extents;
      std::optional<std::uint32_t> number;
    };
    struct Family {
      bool special = true;
      std::vector<Member> members = {};  // the first is the whole family where it is not special
      Kernel kernel = {};                // with extents as arguments
    };
    std::unordered_map<std::string, Family> families;
    std::vector<Instance> instances;
    std::vector<std::pair<Family*, std::size_t>> member_of;
    instances.reserve(kernels_.size());
    member_of.reserve(kernels_.size());
    for (const KernelDraft& draft : kernels_) {
      instances.push_back(instance(draft, memory_, false));
      // Most kernels are alike: their memory serves the next.
      Kernel kernel = std::move(instances.back().kernel);
      auto [place, unseen] = families.try_emplace(kernel.text());
      Family& family = place->second;
      if (unseen) family.kernel = std::move(kernel);
      Dims extents = all_extents(draft);
      auto member = std::find_if(family.members.begin(), family.members.end(), [&](auto& m) { return m.extents == extents; });
      member_of.emplace_back(&family, member - family.members.begin());
      if (!short_rows(draft)) family.special = false;
      if (member == family.members.end() && family.members.size() <= kSpecialisations)
        family.members.push_back({std::move(extents), std::nullopt});
      if (family.members.size() > kSpecialisations) family.special = false;
    }
    std::vector<std::uint32_t> number_of;
    number_of.reserve(instances.size());
    for (std::size_t k = 0; k < instances.size(); ++k) {
      auto [family, index] = member_of[k];
      if (family->special) instances[k] = instance(kernels_[k], memory_, true);
      std::optional<std::uint32_t>& number = family->members[family->special ? index : 0].number;
      if (!number) {
        number = static_cast<std::uint32_t>(program_->sources.size());
        program_->sources.push_back(std::move(family->special ? instances[k].kernel : family->kernel));
        program_->kernel_texts.push_back(program_->sources.back().text());
      }
      number_of.push_back(*number);
      instances[k].kernel = {};
    }
    std::vector<const Kernel*> distinct;
    for (const Kernel& k : program_->sources) distinct.push_back(&k);
    if (jit_) program_->kernels = jit_->compile(distinct, program_->counts);
    std::size_t next = 0;
    for (const auto& [kind, number] : steps_) {
      ProgramStep step;
      if (kind == Step::Routine) {
        add_routine(number);
        continue;
      }
      if (kind == Step::Call) {
        step.call = true;
        step.first = number;
        RuntimeCall& c = program_->calls[number];
        for (std::size_t k = 0; k < c.inputs.size(); ++k)
          if (c.inputs[k].present) c.inputs[k].place = memory_.place(call_roots_[number][k], c.inputs[k].place.offset);
        program_->steps.push_back(step);
        continue;
      }
      Instance& in = instances[next];
      step.number = number_of[next];
      if (jit_) step.kernel = program_->kernels[step.number].function;
      step.first = static_cast<std::uint32_t>(program_->buffers.size());
      step.first_argument = static_cast<std::uint32_t>(program_->arguments.size());
      step.first_check = static_cast<std::uint32_t>(program_->checks.size());
      const auto& checks = kernels_[next].checks;
      program_->checks.insert(program_->checks.end(), checks.begin(), checks.end());
      program_->buffers.insert(program_->buffers.end(), in.buffers.begin(), in.buffers.end());
      program_->arguments.insert(program_->arguments.end(), in.arguments.begin(), in.arguments.end());
      if (program_->checks_bounds)
        for (std::size_t k = 0; k < in.roots.size(); ++k) {
          const Root& root = memory_.roots[in.roots[k]];
          program_->limits.push_back(root.before + in.offsets[k]);
          program_->limits.push_back(root.bytes - in.offsets[k]);
        }
      program_->steps.push_back(step);
      ++next;
    }
    for (Index r : block_.results) {
      const Where& w = memory_.where[r];
      program_->results.push_back({memory_.place(w.root, w.layout.offset), block_.type(r), w.layout.strides, true});
    }
    program_->finish();
  }

  void add_routine(Index i) {
    const NodeRole& role = roles_[i];
    std::vector<Index> operands(block_.inputs(i).begin(), block_.inputs(i).end());
    operands.push_back(i);
    ProgramStep step;
    step.routine = true;
    step.number = static_cast<std::uint32_t>(program_->routines.size());
    step.kernel = role.routine.function;
    step.first = static_cast<std::uint32_t>(program_->buffers.size());
    step.first_argument = static_cast<std::uint32_t>(program_->arguments.size());
    program_->routines.push_back({block_.nodes[i].op, block_.type(operands[0]), role.routine});
    program_->arguments.insert(program_->arguments.end(), role.numbers.begin(), role.numbers.end());
    for (Index operand : operands) {
      const Where& w = memory_.where[operand];
      const Root& root = memory_.roots[w.root];
      program_->buffers.push_back(memory_.place(w.root, w.layout.offset));
      if (program_->checks_bounds) {
        program_->limits.push_back(root.before + w.layout.offset);
        program_->limits.push_back(root.bytes - w.layout.offset);
      }
    }
    program_->steps.push_back(step);
  }

  enum class Step : std::uint8_t { Kernel, Routine, Call };

  runtime::Runtime& runtime_;
  Jit* jit_;
  const ir::Block& block_;
  std::span<const ArgumentInfo> arguments_;
  Roles roles_;
  std::shared_ptr<Program> program_;
  Memory memory_;

  Groups groups_;
  Index group_ = 0;
  std::vector<KernelDraft> kernels_;           // by kernel step
  std::vector<std::pair<Step, Index>> steps_;  // a call's number, a routine's node; else the next kernel
  std::vector<std::vector<RootId>> call_roots_;
};

}  // namespace

std::shared_ptr<Program> build_program(runtime::Runtime& runtime, Jit* jit, const ir::Block& block,
                                       std::span<const ArgumentInfo> arguments) {
  if (auto written_out = expand(runtime, block, arguments, !jit))
    return Builder(runtime, jit, written_out->block, arguments, written_out->roles).build();
  return Builder(runtime, jit, block, arguments, {}).build();
}

}  // namespace autoray::codegen
