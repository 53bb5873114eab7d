#include "ir/plan/plan.h"

#include <unordered_map>

#include "ir/graph/text.h"

namespace autoray::ir {
namespace {

// Operands of each operand parameter; an absent optional one has none.
std::vector<std::uint32_t> groups_of(const Op& op, std::span<const Index> operands) {
  std::vector<std::uint32_t> groups = operand_groups(op, operands.size());
  for (std::size_t i = 0, at = 0; i < groups.size(); ++i) {
    std::uint32_t taken = groups[i];
    if (taken == 1 && operands[at] == kNoIndex) groups[i] = 0;
    at += taken;
  }
  return groups;
}

}  // namespace

// Numbers of lists by what names them: a few are asked for again and again.
class PlanMaker::ListNumbers {
 public:
  // The list's number, `fresh` when it was not there.
  std::pair<Index, bool> operator()(std::uint64_t key, Index fresh) {
    Entry& recent = recent_[key * 0x9e3779b97f4a7c15ull >> 58];
    if (recent.number != kNoIndex && recent.key == key) return {recent.number, false};
    auto [found, is_new] = all_.try_emplace(key, fresh);
    recent = {key, found->second};
    return {found->second, is_new};
  }

 private:
  struct Entry {
    std::uint64_t key = 0;
    Index number = kNoIndex;
  };
  Entry recent_[64];
  std::unordered_map<std::uint64_t, Index> all_;
};

PlanMaker::PlanMaker(Block given, std::span<const Placement> placements, std::unique_ptr<Liveness> known)
    : plan(std::move(given)),
      live_(known ? std::move(known) : std::make_unique<Liveness>(liveness(plan.block, placements))),
      attr_numbers_(std::make_unique<ListNumbers>()),
      group_numbers_(std::make_unique<ListNumbers>()),
      like_(kOpCount) {
  plan.peak_bytes = live_->peak;
  plan.argument_bytes = live_->argument_bytes;
  plan.buffer_of.assign(plan.block.nodes.size(), kNoIndex);
  for (Index argument : plan.block.arguments) {
    plan.buffer_of[argument] = plan.buffer_count++;
    plan.argument_slots.push_back(plan.buffer_of[argument]);
  }
}
PlanMaker::~PlanMaker() = default;
PlanMaker::PlanMaker(PlanMaker&&) noexcept = default;

Index PlanMaker::take_buffer() {
  if (free_buffers_.empty()) return plan.buffer_count++;
  Index buffer = free_buffers_.back();
  free_buffers_.pop_back();
  return buffer;
}

void PlanMaker::free_after_step(Index buffer) {
  plan.slots.push_back(buffer);
  free_buffers_.push_back(buffer);
}

bool PlanMaker::add_steps(std::size_t most) {
  const Projections& projections = live_->projections;
  const std::size_t before = plan.steps.size();
  const auto count = static_cast<Index>(plan.block.nodes.size());
  for (; next_ < count; ++next_) {
    const NodeKind kind = plan.block.nodes[next_].kind;
    if (kind == NodeKind::Call) {
      if (plan.steps.size() >= most) return true;
      add_step(next_);
    } else if (kind == NodeKind::Project) {
      Index value = projections.value(next_);
      plan.buffer_of[next_] = plan.buffer_of[value];
      // Nobody uses it: it goes after the step before.
      if (live_->last_read[value] == next_) {
        free_after_step(plan.buffer_of[next_]);
        ++plan.steps.back().freed_count;
      }
    }
  }
  if (plan.steps.size() > before) return true;
  for (Index result : plan.block.results) plan.result_slots.push_back(plan.buffer_of[result]);
  return false;
}

void PlanMaker::add_step(Index i) {
  const Block& block = plan.block;
  const Projections& projections = live_->projections;
  LargeVector<Index>& last = live_->last_read;
  const BlockNode& n = block.nodes[i];
  auto inputs = block.inputs(n);
  Step& step = plan.steps.emplace_back();
  step.node = i;
  std::size_t operands = inputs.size() - (op(n.op).has(kRandom) ? 2 : 0);
  std::uint64_t absent = 0;
  for (std::size_t k = 0; k < operands; ++k)
    if (inputs[k] == kNoIndex) absent = absent << 6 | (k + 1);
  std::uint64_t form = static_cast<std::uint64_t>(n.op) << 52 | std::uint64_t{operands} << 24 | absent;
  Like& last_call = like_[static_cast<std::size_t>(n.op)];
  if (last_call.form != form || last_call.attrs != n.attrs) {
    auto [attrs, new_attrs] = (*attr_numbers_)(n.attrs, static_cast<Index>(plan.attr_lists.size()));
    if (new_attrs) plan.attr_lists.push_back(block.tables->attrs.attrs(n.attrs));
    auto [groups, new_groups] = (*group_numbers_)(form, static_cast<Index>(plan.group_lists.size()));
    if (new_groups) plan.group_lists.push_back(groups_of(op(n.op), inputs.first(operands)));
    last_call = {n.attrs, form, attrs, groups};
  }
  step.attrs = last_call.attr_number;
  step.groups = last_call.group_number;
  step.in_place = live_->in_place[i];
  step.view = live_->view[i];
  step.first = static_cast<Index>(plan.slots.size());
  step.input_count = n.input_count;
  for (Index input : inputs) plan.slots.push_back(input == kNoIndex ? kNoIndex : plan.buffer_of[input]);
  const auto outputs = static_cast<Index>(plan.slots.size());
  step.output_count = block.tables->types.results(n.types);
  bool several = projections.of_call(i) != kNoIndex;
  if (step.in_place) {
    plan.buffer_of[i] = plan.buffer_of[inputs[0]];
    plan.slots.push_back(plan.buffer_of[i]);
  } else {
    for (Index k = 0; k < step.output_count; ++k) plan.slots.push_back(take_buffer());
    if (!several) plan.buffer_of[i] = plan.slots[outputs];
    for (Index p = projections.of_call(i); p != kNoIndex; p = projections.next[p])
      plan.buffer_of[p] = plan.slots[outputs + block.nodes[p].number];
  }
  const std::size_t freed = plan.slots.size();
  // Inputs whose last use this was; each once.
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (inputs[k] == kNoIndex) continue;
    Index value = projections.value(inputs[k]);
    NodeKind kind = block.nodes[value].kind;
    if (last[value] != i || (kind != NodeKind::Call && kind != NodeKind::Project)) continue;
    last[value] = kNoIndex;
    if (!(step.in_place && k == 0)) free_after_step(plan.buffer_of[value]);
  }
  // Results that nobody uses: a draw that is kept for its effect, singular vectors beside the values that were asked for.
  if (!several) {
    for (Index k = 0; k < step.output_count && last[i] == i; ++k) free_after_step(plan.slots[outputs + k]);
  } else {
    SmallVector<std::uint8_t, 8> used(step.output_count, 0);
    for (Index p = projections.of_call(i); p != kNoIndex; p = projections.next[p]) used[block.nodes[p].number] = 1;
    for (Index k = 0; k < step.output_count; ++k)
      if (!used[k]) free_after_step(plan.slots[outputs + k]);
  }
  step.freed_count = static_cast<Index>(plan.slots.size() - freed);
}

Plan make_plan(PlanMaker maker) {
  const std::size_t nodes = maker.plan.block.nodes.size();
  maker.plan.steps.reserve(nodes);
  maker.plan.slots.reserve(maker.plan.block.edges.size() + 2 * nodes);
  while (maker.add_steps(nodes));
  return std::move(maker.plan);
}
Plan make_plan(Block block, std::span<const Placement> placements, std::unique_ptr<Liveness> live) {
  return make_plan(PlanMaker(std::move(block), placements, std::move(live)));
}

std::string Plan::text() const {
  std::vector<std::string> names = node_names(block);
  std::string out = "autoray plan 1\n";
  out += "buffers " + std::to_string(buffer_count) + ", peak " + std::to_string(peak_bytes) + " bytes\n";
  for (std::size_t a = 0; a < argument_slots.size(); ++a) {
    Index i = block.arguments[a];
    out += "argument b" + std::to_string(argument_slots[a]) + " = " + names[i] + ": " + to_string(block.type(i)) + "\n";
  }
  for (const Step& step : steps) {
    std::string left;
    for (Index slot : outputs(step)) left += (left.empty() ? "b" : ", b") + std::to_string(slot);
    out += left + " = " + call_text(block, step.node, [&](Index k) {
             Index slot = inputs(step)[k];
             return slot == kNoIndex ? std::string("None") : "b" + std::to_string(slot);
           });
    out += ": " + to_string(block.type(step.node));
    if (step.in_place) out += ", in place";
    if (step.freed_count) {
      out += ", frees";
      for (Index slot : freed(step)) out += " b" + std::to_string(slot);
    }
    out += "\n";
  }
  out += "results";
  for (Index slot : result_slots) out += " b" + std::to_string(slot);
  return out + "\n";
}

}  // namespace autoray::ir
