#include "codegen/segments.h"

#include <numeric>

namespace autoray::codegen {

using ir::Index;
using ir::NodeId;
using ir::NodeKind;
using runtime::Array;
using runtime::Recorder;

namespace {

std::string key_of(const ir::Block& block, std::span<const Array> arguments) {
  std::string key;
  key.reserve(block.nodes.size() * 32 + block.edges.size() * sizeof(Index));
  auto put = [&](const auto& number) { key.append(reinterpret_cast<const char*>(&number), sizeof number); };
  auto put_all = [&](const auto& numbers) {
    put(numbers.size());
    key.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof numbers[0]);
  };
  for (const ir::BlockNode& n : block.nodes) {
    put(n.attrs);  // or the number
    put(n.types);
    // Where errors say it stands; called from where, they say what the first call's did.
    const ir::SourcePlace& place = block.tables->sources.place(n.source);
    put(place.file);
    put(place.line);
    put(place.column);
    put(n.input_count);
    put(n.op);
    put(n.kind);
    put(n.backend);
  }
  put_all(block.edges);
  put_all(block.results);
  for (std::size_t a = 0; a < arguments.size(); ++a) {
    put_all(arguments[a].strides);
    const ir::BlockNode& n = block.nodes[block.arguments[a]];
    if (n.kind == NodeKind::Constant && arguments[a].shape.empty())
      key.append(arguments[a].data, ir::itemsize(arguments[a].dtype));
  }
  return key;
}

}  // namespace

const Segments::Segment& Segments::find(Recorder& recorder, runtime::Extracted& extracted, std::span<const Array> arguments) {
  std::string key = key_of(extracted.block, arguments);
  if (auto found = known_.find(key); found != known_.end()) return *found->second;
  if (known_.size() >= kMost) known_.clear();
  ++counts.built;
  ir::LargeVector<Index> order(extracted.block.nodes.size());
  std::iota(order.begin(), order.end(), Index{0});
  ir::Block recorded = ir::reordered(extracted.block, order);
  auto segment = std::make_unique<Segment>(std::move(recorded), runtime::prepare(recorder, std::move(extracted)).plan);
  segment->stack_depth = stack_depth;
  if (jit_) segment->program = build_native(recorder.runtime(), jit_.get(), segment->plan, arguments);
  return *known_.emplace(std::move(key), std::move(segment)).first->second;
}

void Segments::compute(Recorder& recorder, std::span<const NodeId> roots) {
  const std::vector<NodeId> todo = runtime::without_value(recorder, roots);
  if (todo.empty()) return;
  runtime::Runtime& runtime = recorder.runtime();
  runtime::Extracted extracted = runtime::extract(recorder, todo);
  // A registered function may do something else each time.
  if (extracted.calls_back) return runtime::compute(recorder, todo);
  ++counts.run;
  const std::vector<NodeId> results = extracted.results;
  std::vector<Array> arguments, values;
  for (NodeId id : extracted.arguments) arguments.push_back(recorder.array(id));
  const Segment& segment = find(recorder, extracted, arguments);
  try {
    if (segment.program) {
      unsigned events = 0;
      values = segment.program->run(runtime, arguments, events);
      if (events && segment.events.is_due(runtime, segment.plan.block, events))
        segment.events.tell(runtime, segment.plan, arguments, events);
    } else {
      values = runtime::run_plan(runtime, segment.plan, arguments);
    }
  } catch (ir::Error& error) {
    error.with_source_frames(recorder.tables().sources.depth(error.source()) - segment.stack_depth);
    throw;
  }
  runtime::give_values(recorder, results, std::move(values));
}

}  // namespace autoray::codegen
