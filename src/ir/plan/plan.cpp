#include "ir/plan/plan.h"

#include <unordered_map>

#include "ir/graph/text.h"

namespace autoray::ir {

Plan make_plan(Block given, std::span<const Layout> layouts) {
  Plan plan(std::move(given));
  const Block& block = plan.block;
  Liveness live = liveness(block, layouts);
  auto count = static_cast<Index>(block.nodes.size());
  plan.peak_bytes = live.peak;
  for (Index argument : block.arguments) plan.argument_bytes += live.bytes[argument];

  // Each value has a buffer number of its own while it is alive (views too: a number names an array, memory is the root's).
  std::vector<Index> last(count, 0);
  for (Index i = 0; i < count; ++i) {
    last[i] = i;
    for (Index input : block.inputs(i))
      if (input != kNoIndex) last[input] = i;
  }
  for (Index result : block.results) last[result] = kNoIndex;
  plan.buffer_of.assign(count, kNoIndex);
  std::vector<Index> free_buffers, tuples(count, kNoIndex);
  auto take = [&] {
    if (free_buffers.empty()) return plan.buffer_count++;
    Index buffer = free_buffers.back();
    free_buffers.pop_back();
    return buffer;
  };
  for (Index argument : block.arguments) {
    plan.buffer_of[argument] = plan.buffer_count++;
    plan.argument_slots.push_back(plan.buffer_of[argument]);
  }
  std::unordered_map<AttrsId, Index> lists;
  plan.steps.reserve(count);
  // The projections of a node's results: they are the places that its step fills.
  std::vector<std::vector<Index>> projections;
  std::vector<Index> projected(count, kNoIndex);
  for (Index i = 0; i < count; ++i) {
    if (block.nodes[i].kind != NodeKind::Project) continue;
    Index of = block.inputs(i)[0];
    if (projected[of] == kNoIndex) {
      projected[of] = static_cast<Index>(projections.size());
      projections.emplace_back(block.types(of).size(), kNoIndex);
    }
    // Two projections of one result are one array.
    Index& place = projections[projected[of]][block.nodes[i].number];
    if (place == kNoIndex) {
      place = i;
    } else {
      last[place] = last[place] == kNoIndex || last[i] == kNoIndex ? kNoIndex : std::max(last[place], last[i]);
    }
  }
  for (Index i = 0; i < count; ++i) {
    const BlockNode& n = block.nodes[i];
    if (n.kind == NodeKind::Project) {
      plan.buffer_of[i] = plan.buffer_of[projections[projected[block.inputs(i)[0]]][n.number]];
      // The last use may be here.
      Index owner = projections[projected[block.inputs(i)[0]]][n.number];
      if (last[owner] == i && !plan.steps.empty()) {
        free_buffers.push_back(plan.buffer_of[i]);
        plan.steps.back().freed_count += 1;
        plan.slots.push_back(plan.buffer_of[i]);
      }
      continue;
    }
    if (n.kind != NodeKind::Call) continue;
    Step step;
    step.node = i;
    auto [found, fresh] = lists.try_emplace(n.attrs, static_cast<Index>(plan.attr_lists.size()));
    if (fresh) plan.attr_lists.push_back(block.tables->attrs.attrs(n.attrs));
    step.attrs = found->second;
    step.in_place = live.in_place[i];
    step.first_input = static_cast<Index>(plan.slots.size());
    step.input_count = n.input_count;
    for (Index input : block.inputs(i)) plan.slots.push_back(input == kNoIndex ? kNoIndex : plan.buffer_of[input]);
    step.first_output = static_cast<Index>(plan.slots.size());
    step.output_count = static_cast<Index>(block.types(i).size());
    std::size_t unused = 0;
    if (projected[i] != kNoIndex) {
      for (Index projection : projections[projected[i]]) {
        Index buffer = take();
        plan.slots.push_back(buffer);
        if (projection != kNoIndex)
          plan.buffer_of[projection] = buffer;
        else
          ++unused;
      }
    } else {
      for (Index k = 0; k < step.output_count; ++k) {
        plan.buffer_of[i] = take();
        plan.slots.push_back(plan.buffer_of[i]);
      }
    }
    step.first_freed = static_cast<Index>(plan.slots.size());
    // Inputs whose last use this was; each once.
    for (Index k = 0; k < n.input_count; ++k) {
      Index input = block.inputs(i)[k];
      if (input == kNoIndex || last[input] != i || block.nodes[input].kind != NodeKind::Call) {
        if (input == kNoIndex || last[input] != i || block.nodes[input].kind != NodeKind::Project) continue;
        input = projections[projected[block.inputs(input)[0]]][block.nodes[input].number];
        if (last[input] != i) continue;
      }
      Index buffer = plan.buffer_of[input];
      last[input] = 0;  // freed
      plan.slots.push_back(buffer);
      free_buffers.push_back(buffer);
    }
    if (projected[i] != kNoIndex && unused)
      for (std::size_t k = 0; k < projections[projected[i]].size(); ++k)
        if (projections[projected[i]][k] == kNoIndex) {
          Index buffer = plan.slots[step.first_output + k];
          plan.slots.push_back(buffer);
          free_buffers.push_back(buffer);
        }
    // A result that nobody uses (a draw that is kept for its effect).
    if (projected[i] == kNoIndex && last[i] == i) {
      plan.slots.push_back(plan.buffer_of[i]);
      free_buffers.push_back(plan.buffer_of[i]);
    }
    step.freed_count = static_cast<Index>(plan.slots.size()) - step.first_freed;
    plan.steps.push_back(step);
  }
  for (Index result : block.results) plan.result_slots.push_back(plan.buffer_of[result]);
  return plan;
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
    for (Index k = 0; k < step.output_count; ++k) left += (k ? ", b" : "b") + std::to_string(slots[step.first_output + k]);
    out += left + " = " + call_text(block, step.node, [&](Index k) {
      Index slot = slots[step.first_input + k];
      return slot == kNoIndex ? std::string("None") : "b" + std::to_string(slot);
    });
    out += ": " + to_string(block.type(step.node));
    if (step.in_place) out += ", in place";
    if (step.freed_count) {
      out += ", frees";
      for (Index k = 0; k < step.freed_count; ++k) out += " b" + std::to_string(slots[step.first_freed + k]);
    }
    out += "\n";
  }
  out += "results";
  for (Index slot : result_slots) out += " b" + std::to_string(slot);
  return out + "\n";
}

}  // namespace autoray::ir
