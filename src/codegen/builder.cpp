#include "codegen/builder.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "codegen/expand/expand.h"
#include "codegen/interleave.h"
#include "codegen/kernel_builder.h"
#include "codegen/overwritten.h"
#include "codegen/recurrence.h"
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
// A recurrence of fewer steps is not worth a kernel of its own.
constexpr std::size_t kTurns = 8;

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
    if (jit_) interleave(block_, roles_, memory_, groups_);  // the steps of an object are loops where they stay as they came
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
  // Kernels that differ in extents alone are a family: one kernel with extents as arguments, or one for each extents where
  // there are few.
  struct Member {
    Dims extents;
    std::optional<std::uint32_t> number = {};
  };
  struct Family {
    bool special = true;
    std::vector<Member> members = {};  // the first is the whole family where it is not special
    std::vector<bool> is_extent = {};  // by argument
    bool may_recur = false;
  };
  struct KernelStep {
    std::pair<const Kernel, Family>* family;
    std::size_t member;
    std::size_t first_buffer, first_argument;  // in buffers_ and numbers_, up to the next step's
    std::size_t first_check = 0;               // in the program's
  };

  void add_kernel(KernelDraft draft) {
    std::vector<IndexCheck> checks = std::move(draft.checks);
    Instance in = instance(std::move(draft));
    auto [place, unseen] = families_.try_emplace(std::move(in.kernel));
    Family& family = place->second;
    if (unseen) {
      family.is_extent = extent_arguments(place->first);
      family.may_recur = may_recur(place->first);
      may_recur_ = may_recur_ || family.may_recur;
    }
    auto member =
        std::find_if(family.members.begin(), family.members.end(), [&](const Member& m) { return m.extents == in.extents; });
    kernels_.push_back({&*place, static_cast<std::size_t>(member - family.members.begin()), buffers_.size(), numbers_.size(),
                        program_->checks.size()});
    program_->checks.insert(program_->checks.end(), checks.begin(), checks.end());
    buffers_.insert(buffers_.end(), in.buffers.begin(), in.buffers.end());
    numbers_.insert(numbers_.end(), in.arguments.begin(), in.arguments.end());
    if (member == family.members.end() && family.members.size() <= kSpecialisations) family.members.push_back({in.extents});
    if (!in.short_rows || family.members.size() > kSpecialisations) family.special = false;
    steps_.push_back({Step::Kernel, kNoIndex});
  }

  // ---- calls ----

  void routine(Index i) {
    memory_.touch(memory_.where[i].root, group_);
    for (Index operand : block_.inputs(i))
      if (operand != kNoIndex) memory_.touch(memory_.where[operand].root, group_);
    steps_.push_back({Step::Routine, i});
  }

  // Its place has the offset in its root, until places are known.
  Located located(Index x) {
    Located value;
    value.present = x != kNoIndex;
    if (!value.present) return value;
    const Where& w = memory_.where[x];
    memory_.touch(w.root, group_);
    value.place.offset = w.layout.offset;
    value.type = block_.type(x);
    value.strides = w.layout.strides;
    return value;
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
      roots.push_back(x == kNoIndex ? kNoRoot : memory_.where[x].root);
      c.inputs.push_back(located(x));
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
    if (roles_[i].role == Role::CallInto) {
      c.into = located(i);
      roots.push_back(memory_.where[i].root);
    } else {
      RootId first = memory_.first_dynamic_root(i);
      c.first_dynamic = memory_.roots[first].number;
      for (std::size_t k = 0; k < types.size(); ++k) memory_.touch(first + static_cast<RootId>(k), group_);
    }
    steps_.push_back({Step::Call, static_cast<Index>(program_->calls.size())});
    program_->calls.push_back(std::move(c));
    call_roots_.push_back(std::move(roots));
  }

  // ---- recurrences ----

  Operands operands(std::size_t kernel) const {
    const KernelStep &from = kernels_[kernel], &end = kernels_[kernel + 1];
    const std::size_t count = end.first_buffer - from.first_buffer;
    return {std::span(buffers_).subspan(from.first_buffer, count), std::span(places_).subspan(from.first_buffer, count),
            std::span(numbers_).subspan(from.first_argument, end.first_argument - from.first_argument)};
  }
  // Steps from one on that are a recurrence, if any.
  struct Run {
    std::optional<Recurrence> recurrence = {};
    std::size_t count = 1;
  };
  Run run_from(std::size_t step, std::size_t kernel) const {
    const auto* family = kernels_[kernel].family;
    auto same = [&](std::size_t k) {
      return step + k < steps_.size() && steps_[step + k].first == Step::Kernel && kernels_[kernel + k].family == family;
    };
    Run run;
    // Those of very extents have few terms, or none that are summed.
    const bool of_extents = std::ranges::find(family->second.is_extent, true) != family->second.is_extent.end();
    if (!family->second.may_recur || (family->second.special && of_extents) || !same(1)) return run;
    auto recurrence = [&](std::size_t k) { return find_recurrence(family->first, operands(k), operands(k + 1)); };
    run.recurrence = recurrence(kernel);
    if (!run.recurrence) return run;
    // Each pair of steps is the same recurrence: places that only happen to continue may be other arrays'.
    for (run.count = 2; same(run.count); ++run.count) {
      const std::size_t last = kernel + run.count - 1;
      if (!continues(operands(last - 1), operands(last), operands(last + 1)) || recurrence(last) != run.recurrence) break;
    }
    return run;
  }
  // By step: whether later ones leave nothing of what it puts down.
  std::vector<bool> overwritten() const {
    Overwritten found;
    std::size_t kernel = 0;
    for (std::size_t step = 0; step < steps_.size(); ++step) {
      const auto [kind, number] = steps_[step];
      if (kind == Step::Kernel) {
        found.add(step, kernels_[kernel].family->first, operands(kernel));
        ++kernel;
      } else if (kind == Step::Call) {
        for (RootId root : call_roots_[number]) found.use(root);
      } else {
        found.use(memory_.where[number].root);
        for (Index operand : block_.inputs(number))
          if (operand != kNoIndex) found.use(memory_.where[operand].root);
      }
    }
    std::vector<bool> gone(steps_.size());
    for (std::size_t step : found.steps) gone[step] = true;
    return gone;
  }
  // Recurrences of many steps become one, and those that are `gone` go.
  void roll(const std::vector<bool>& gone) {
    std::vector<KernelStep> kernels;
    std::vector<std::pair<Step, Index>> steps;
    ir::LargeVector<Instance::Buffer> buffers;
    ir::LargeVector<Place> places;
    std::vector<Belongs> belongs;
    ir::LargeVector<std::int64_t> numbers;
    for (std::size_t step = 0, kernel = 0; step < steps_.size(); ++step) {
      if (gone[step]) {
        ++kernel;
        continue;
      }
      steps.push_back(steps_[step]);
      if (steps_[step].first != Step::Kernel) continue;
      KernelStep k = kernels_[kernel];
      k.first_buffer = buffers.size();
      k.first_argument = numbers.size();
      const Operands first = operands(kernel);
      buffers.insert(buffers.end(), first.buffers.begin(), first.buffers.end());
      places.insert(places.end(), first.places.begin(), first.places.end());
      if (program_->checks_bounds)
        for (std::size_t i = kernels_[kernel].first_buffer; i < kernels_[kernel + 1].first_buffer; ++i)
          belongs.push_back(belongs_[i]);
      std::vector<std::int64_t> handed(first.numbers.begin(), first.numbers.end());
      if (const Run run = run_from(step, kernel); run.count >= kTurns) {
        const auto* family = k.family;
        k.family = &*families_
                         .try_emplace(in_turns(*run.recurrence, family->first, first, operands(kernel + 1),
                                               static_cast<std::int64_t>(run.count), handed),
                                      Family{.special = false, .members = {{}}})
                         .first;
        k.member = 0;
        step += run.count - 1;
        kernel += run.count - 1;
        // Turns may each have memory of their own: it is all theirs, from the first's to the last's.
        for (std::size_t i = 0; program_->checks_bounds && i < first.places.size(); ++i) {
          const std::int64_t moved = operands(kernel).places[i].offset - first.places[i].offset;
          const Belongs& last = belongs_[kernels_[kernel].first_buffer + i];
          Belongs& all = belongs[k.first_buffer + i];
          all = {std::max(all.before, last.before - moved), std::max(all.after, last.after + moved)};
        }
      }
      ++kernel;
      numbers.insert(numbers.end(), handed.begin(), handed.end());
      kernels.push_back(k);
    }
    kernels.push_back({nullptr, 0, buffers.size(), numbers.size()});
    kernels_ = std::move(kernels);
    steps_ = std::move(steps);
    buffers_ = std::move(buffers);
    places_ = std::move(places);
    belongs_ = std::move(belongs);
    numbers_ = std::move(numbers);
  }

  void finish() {
    kernels_.push_back({nullptr, 0, buffers_.size(), numbers_.size()});
    for (const Instance::Buffer& b : buffers_) {
      places_.push_back(memory_.place(b.root, b.offset));
      if (program_->checks_bounds)
        belongs_.push_back({memory_.roots[b.root].before + b.offset, memory_.roots[b.root].bytes - b.offset});
    }
    const std::vector<bool> gone = overwritten();
    if (may_recur_ || std::ranges::find(gone, true) != gone.end()) roll(gone);
    for (const KernelStep& k : std::span(kernels_).first(kernels_.size() - 1)) {
      Family& family = k.family->second;
      Member& member = family.members[family.special ? k.member : 0];
      if (member.number) continue;
      member.number = static_cast<std::uint32_t>(program_->sources.size());
      program_->sources.push_back(family.special ? specialised(k.family->first, member.extents) : k.family->first);
      program_->kernel_texts.push_back(program_->sources.back().text());
    }
    std::vector<const Kernel*> distinct;
    for (const Kernel& k : program_->sources) distinct.push_back(&k);
    if (jit_) program_->kernels = jit_->compile(distinct, program_->counts);
    program_->steps.reserve(steps_.size());
    program_->buffers.reserve(buffers_.size());
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
        if (c.into) c.into->place = memory_.place(call_roots_[number].back(), c.into->place.offset);
        program_->steps.push_back(step);
        continue;
      }
      const KernelStep& from = kernels_[next++];
      const KernelStep& end = kernels_[next];
      const Family& family = from.family->second;
      step.number = *family.members[family.special ? from.member : 0].number;
      if (jit_) step.kernel = program_->kernels[step.number].function;
      step.first = static_cast<std::uint32_t>(program_->buffers.size());
      step.first_argument = static_cast<std::uint32_t>(program_->arguments.size());
      step.first_check = static_cast<std::uint32_t>(from.first_check);
      for (std::size_t k = from.first_buffer; k < end.first_buffer; ++k) {
        program_->buffers.push_back(places_[k]);
        if (!program_->checks_bounds) continue;
        program_->limits.push_back(belongs_[k].before);
        program_->limits.push_back(belongs_[k].after);
      }
      for (std::size_t k = from.first_argument; k < end.first_argument; ++k)
        if (!family.special || !family.is_extent[k - from.first_argument]) program_->arguments.push_back(numbers_[k]);
      program_->steps.push_back(step);
    }
    for (Index r : block_.results) {
      const Where& w = memory_.where[r];
      program_->results.push_back({memory_.place(w.root, w.layout.offset), block_.type(r), w.layout.strides, true});
    }
    program_->finish();
  }

  void add_routine(Index i) {
    const NodeRole& role = roles_[i];
    std::vector<Index> operands;
    for (Index operand : block_.inputs(i))
      if (operand != kNoIndex) operands.push_back(operand);
    operands.push_back(i);
    ProgramStep step;
    step.routine = true;
    step.number = static_cast<std::uint32_t>(program_->routines.size());
    step.kernel = role.routine.function;
    step.first = static_cast<std::uint32_t>(program_->buffers.size());
    step.first_argument = static_cast<std::uint32_t>(program_->arguments.size());
    if (role.error) {
      step.first_check = static_cast<std::uint32_t>(program_->checks.size());
      program_->checks.push_back({.error = role.error->error_class(), .before = {}, .after = {}, .known = role.error});
    }
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
  std::unordered_map<Kernel, Family, KernelHash> families_;
  std::vector<KernelStep> kernels_;
  bool may_recur_ = false;
  ir::LargeVector<Instance::Buffer> buffers_;
  ir::LargeVector<Place> places_;  // of the buffers, when all are known
  struct Belongs {
    std::int64_t before, after;  // bytes, from the place
  };
  std::vector<Belongs> belongs_;                 // what belongs to the buffers' arrays; where bounds are checked
  ir::LargeVector<std::int64_t> numbers_;        // extents and strides
  std::vector<std::pair<Step, Index>> steps_;    // a call's number, a routine's node; else the next kernel
  std::vector<std::vector<RootId>> call_roots_;  // of its inputs, and of its result in the program's memory
};

// The imaginary part of a real array is made of zeros that nobody may write.
bool is_writable(const ir::Block& block, Index result) {
  const ir::BlockNode& n = block.nodes[result];
  return n.kind != NodeKind::Call || n.op != OpId::Imag || ir::is_complex(block.type(block.inputs(n)[0]).dtype);
}

}  // namespace

std::shared_ptr<Program> build_program(runtime::Runtime& runtime, Jit* jit, const ir::Block& block,
                                       std::span<const ArgumentInfo> arguments) {
  std::optional<Expanded> expanded = expand(runtime, block, arguments, !jit);
  std::shared_ptr<Program> program = expanded ? Builder(runtime, jit, expanded->block, arguments, expanded->roles).build()
                                              : Builder(runtime, jit, block, arguments, {}).build();
  for (std::size_t r = 0; r < block.results.size(); ++r) program->results[r].writable = is_writable(block, block.results[r]);
  return program;
}

}  // namespace autoray::codegen
