// The first call of a kind: the function runs on recorded arrays, and what it recorded becomes a program.
#include <algorithm>

#include "codegen/autojit.h"
#include "codegen/builder.h"
#include "codegen/call_key.h"
#include "codegen/function_trace.h"
#include "codegen/native_plan.h"
#include "codegen/specialisation.h"
#include "ir/error.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/executor.h"
#include "runtime/lazy/function.h"
#include "runtime/memory_order.h"

namespace autoray::codegen {

using ir::Error;
using ir::ErrorClass;
using ir::Index;
using ir::Kind;
using ir::NodeId;
using ir::NodeKind;
using runtime::Arguments;
using runtime::Array;
using runtime::kValueNeeded;
using runtime::ObjectKind;
using runtime::Recorder;
using runtime::Runtime;
using runtime::Value;

namespace {

// How calls from C++ with arrays alone may run.
void decide_short(Specialisation& spec) {
  auto contains = [](const Value& v) { return v.is(ObjectKind::List) || v.is(ObjectKind::Tuple) || v.is(ObjectKind::Dict); };
  std::span<const Value> items;
  if (auto* list = spec.tree.get_if<runtime::List>()) items = list->items;
  if (auto* tuple = spec.tree.get_if<runtime::Tuple>()) items = tuple->items;
  bool arrays = spec.program && !spec.tree.is(ObjectKind::Dict) && std::none_of(items.begin(), items.end(), contains);
  for (const auto& leaf : spec.leaves) arrays = arrays && (leaf.result >= 0 || leaf.argument >= 0) && leaf.kind != Kind::Weak;
  if (!arrays) return;
  const Program& program = *spec.program;
  bool copies = std::any_of(spec.leaves.begin(), spec.leaves.end(), [](const auto& leaf) { return leaf.copy; });
  bool captured = std::any_of(spec.leaves.begin(), spec.leaves.end(),
                              [&](const auto& leaf) { return leaf.argument >= static_cast<int>(spec.own_leaves); });
  bool runtime_needed = copies || captured || !program.calls.empty() || !spec.written.empty();
  spec.shortly = runtime_needed ? Specialisation::Short::InTurn : Specialisation::Short::Beside;
  std::vector<bool> used(program.output_bytes.size());
  spec.direct = !runtime_needed && spec.leaves.size() == used.size();
  for (const auto& leaf : spec.leaves) {
    if (!spec.direct || leaf.result < 0) break;
    const Located& result = program.results[static_cast<std::size_t>(leaf.result)];
    std::int64_t item = static_cast<std::int64_t>(ir::itemsize(result.type.dtype)), bytes = item;
    for (std::int64_t extent : result.type.shape) bytes *= extent;
    spec.direct = result.place.home == Home::Output && result.place.offset == 0 && !used[result.place.number] &&
                  program.output_bytes[result.place.number] == bytes &&
                  result.strides == ir::contiguous_strides(result.type.shape, item);
    if (spec.direct) used[result.place.number] = true;
  }
  spec.direct = spec.direct && std::find(used.begin(), used.end(), false) == used.end();
}

NodeId memory_of(const ir::Graph& graph, NodeId id) {
  for (;;) {
    const ir::Node& n = graph.node(id);
    if (n.kind != NodeKind::Call || !ir::op(n.op).has(ir::kViewResult) || n.count != 1) return id;
    id = n.few[0];
  }
}

}  // namespace

void AutoJit::note_varying(CallKind& kind) {
  if (kind.traced.empty() || kind.constant_floats) return;
  const Specialisation& last = *kind.traced.back();
  for (std::size_t i = 0; i < last.floats.size(); ++i) {
    const Value* now = last.places[i].value();
    if (last.floats[i].empty() || !now || !now->is_float() || now->identical(last.floats[i])) continue;
    kind.varying.push_back(last.places[i]);
  }
}

std::shared_ptr<Specialisation> AutoJit::trace(Runtime& runtime, const Arguments& arguments, Reading& reading,
                                               std::span<const runtime::CapturedPlace> varying) {
  auto spec = std::make_shared<Specialisation>();
  const bool floats_static = spec->floats_static = reading.floats_static;
  const bool captured_static = spec->captured_static = reading.captured_static;
  spec->own_leaves = reading.leaves.size();
  Recorder& recorder = runtime.recorder();
  ir::Graph& graph = recorder.graph();
  spec->stack_depth = recorder.stack_depth();
  FunctionTrace traced(runtime, reading, varying, Known::Types);
  // While an exception is handled. Where a value was needed, or something printed, the call runs plainly, or in segments when
  // only a shape depends on the value, unless it may be that of a float.
  auto failed = [&](int code, auto message) -> std::shared_ptr<Specialisation> {
    recorder.forget_draws();
    bool stopped = code >= 700 && code <= 705, refused = code == kValueNeeded || code == 202;
    bool in_segments = code == kValueNeeded && reading.backend != JitBackend::Object && traced.needed_values_of_arguments();
    bool has_float =
        std::any_of(reading.leaves.begin(), reading.leaves.end(), [](const auto& leaf) { return leaf.is_float(); });
    if (!floats_static && has_float && refused && !in_segments) return nullptr;
    if (traced.substituted_floats() && !stopped) return nullptr;
    // With their elements at hand the function may do what it cannot do with graphs.
    if (!captured_static && traced.captures().any_array() && !stopped && !in_segments) return nullptr;
    if (!refused) throw;
    if (in_segments) {
      spec->segments = std::make_unique<Segments>(reading.backend == JitBackend::Native ? jit_ : nullptr);
      spec->note = message();
    } else {
      spec->plain = message();
    }
    // Whatever it reads: it may have been stopped before it read all.
    spec->places.clear();
    if (reading.backend == JitBackend::Object || spec->plain.find("truth value") != std::string::npos) throw;
    return spec;
  };
  try {
    traced.run(function_, arguments, [&](std::span<const runtime::CapturedPlace> places) {
      spec->places.assign(places.begin(), places.end());
      KeyWriter writer(spec->captured_key, nullptr, &spec->held);
      write_captured(writer, spec->places, reading);
      if (runtime.on_explain) spec->captured_values = describe_captured(spec->places);
      for (const runtime::CapturedPlace& place : spec->places) {
        const Value* v = place.value();
        spec->floats.push_back(v && v->is_float() && !place.varies ? *v : Value());
      }
      spec->standing = standing_values(spec->places);
    });
  } catch (const Error& error) {
    return failed(error.code(), [&] { return error.message(); });
  } catch (const runtime::Raised& raised) {
    auto* exception = raised.exception.get_if<runtime::Exception>();
    return failed(exception ? exception->code : 0,
                  [&] { return exception->args.empty() ? std::string() : runtime::text_of(exception->args[0], "message"); });
  }
  spec->leaves = std::move(traced.result_leaves);
  spec->written = std::move(traced.written);
  const std::vector<NodeId>&roots = traced.roots, &leaf_nodes = traced.leaf_nodes;
  if (roots.empty()) {
    // What it did is done: later calls are plain, and this one has its result, unless that may hold the trace's copies.
    spec->plain = "nothing is computed on arrays";
    spec->first_result = !traced.captures().any_copy();
    if (spec->first_result) spec->tree = std::move(traced.result);
    recorder.forget_draws();
    return spec;
  }
  if (reading.overlap && !spec->written.empty()) {
    spec->plain = "arguments overlap and one of them is written";
    recorder.forget_draws();
    return spec;
  }
  ir::LargeVector<NodeId> argument_nodes, ids;
  ir::Block block = ir::extract(graph, roots, argument_nodes, &ids);
  std::vector<NodeId> owners;
  for (NodeId id : roots) owners.push_back(memory_of(graph, id));
  bool weak_arithmetic = false;
  for (Index i = 0; i < block.nodes.size(); ++i) {
    ir::BlockNode& n = block.nodes[i];
    if (n.kind != NodeKind::Call) continue;
    if (ir::op(n.op).has(ir::kRandom)) block.results.push_back(i);
    // Arithmetic of Python floats alone is Python's own: its result is a float, and its errors are Python's.
    bool all_weak = n.input_count > 0, variable = false;
    for (Index x : block.inputs(i)) {
      all_weak = all_weak && x != ir::kNoIndex && block.type(x).kind == Kind::Weak;
      variable = variable || (x != ir::kNoIndex && block.nodes[x].kind == NodeKind::Variable);
    }
    weak_arithmetic = weak_arithmetic || (all_weak && variable);
    if (n.dispatched) {
      auto entry = std::pair{static_cast<runtime::BackendId>(n.backend), n.op};
      if (runtime.entry(entry.first, entry.second).registered) continue;
      n.dispatched = false;
      if (std::find(spec->dispatched.begin(), spec->dispatched.end(), entry) == spec->dispatched.end())
        spec->dispatched.push_back(entry);
    }
  }
  recorder.forget_draws();
  if (weak_arithmetic && !floats_static) return nullptr;
  std::vector<NodeId> known_scalars;
  std::vector<ArgumentInfo> infos;
  std::vector<ir::Placement> layouts;
  for (NodeId id : argument_nodes) {
    const ir::Node& node = graph.node(id);
    auto leaf = std::find(leaf_nodes.begin(), leaf_nodes.end(), id);
    bool given = leaf != leaf_nodes.end();
    spec->argument_leaf.push_back(given ? static_cast<int>(leaf - leaf_nodes.begin()) : -1);
    if (!given && node.kind == NodeKind::Variable)
      throw Error(ErrorClass::ValueError, "the traced function depends on a Variable without a value").with_code(405);
    auto array_of = [&](std::size_t i) {
      const Reading::Leaf& place = reading.leaves[i];
      return place.array ? *place.array : runtime::to_array(runtime, *place.value);
    };
    std::size_t number = given ? static_cast<std::size_t>(spec->argument_leaf.back()) : 0;
    spec->captured.push_back(!given ? recorder.owned_array(id) : number >= spec->own_leaves ? array_of(number) : Array());
    // What becomes data of an object is dense.
    if (Array& own = spec->captured.back(); reading.backend == JitBackend::Object && own.data && !own.c_contiguous())
      own = runtime::converted(runtime, own, own.dtype);
    bool scalar = !given && node.kind == NodeKind::Constant && graph.type(id).shape.empty();
    known_scalars.push_back(scalar ? id : ir::kNoNode);
    ArgumentInfo info;
    Array array = spec->captured.back();
    if (given) {
      array = array_of(number);
    }
    if (node.kind != NodeKind::State) info.strides = array.strides;
    layouts.push_back({runtime::plan_layout(array)});
    infos.push_back(info);
  }
  ir::run_passes(block, runtime::pass_context(recorder, known_scalars));
  for (std::size_t a = 0; a < infos.size(); ++a)
    if (known_scalars[a] != ir::kNoNode) infos[a].constant = &spec->captured[a];
  bool registered = std::any_of(block.nodes.begin(), block.nodes.end(), [](const ir::BlockNode& n) { return n.dispatched; });
  if (reading.backend != JitBackend::Plan && !registered) {
    spec->program = build_program(runtime, reading.backend == JitBackend::Native ? jit_.get() : nullptr, block, infos);
    for (std::size_t a = 0; a < spec->argument_leaf.size(); ++a)
      if (spec->argument_leaf[a] < 0) spec->program->fixed.push_back({static_cast<std::uint32_t>(a), spec->captured[a]});
    std::size_t calls = spec->program->calls.size();
    spec->note = std::to_string(spec->program->steps.size()) + " steps, " + std::to_string(spec->program->kernels.size()) +
                 " kernels, " + std::to_string(spec->program->counts.compiled) + " new";
    if (std::size_t cached = spec->program->counts.cached) spec->note += ", " + std::to_string(cached) + " from the cache";
    if (spec->program->counts.compiled)
      if (std::string problem = jit_->cache().problem(); !problem.empty()) spec->note += ", no cache (" + problem + ")";
    explain_calls(runtime, *spec->program);
    if (calls) spec->note += ", " + std::to_string(calls) + " calls of the runtime";
  } else if (registered) {
    spec->note = "a registered function takes part: the plan runs";
  }
  // What passes merged stays apart for the caller.
  auto shares = [&](std::size_t r, std::size_t q) {
    Index x = block.results[r], y = block.results[q];
    if (x == y) return true;
    if (!spec->program) return true;  // the plan decides while it runs: compared there
    return spec->program->results[r].place.home == spec->program->results[q].place.home &&
           spec->program->results[r].place.number == spec->program->results[q].place.number;
  };
  for (ResultLeaf& leaf : spec->leaves) {
    if (leaf.result < 0) continue;
    auto r = static_cast<std::size_t>(leaf.result);
    for (std::size_t q = 0; q < r; ++q)
      if (owners[q] != owners[r] && shares(r, q)) leaf.copy = true;
    if (spec->program) {
      const Located& place = spec->program->results[r];
      if (place.place.home == Home::Argument && owners[r] != argument_nodes[place.place.number]) leaf.copy = true;
    } else if (block.nodes[block.results[r]].kind != NodeKind::Call || owners[r] != roots[r]) {
      leaf.copy = std::find(argument_nodes.begin(), argument_nodes.end(), owners[r]) == argument_nodes.end();
    }
  }
  spec->plan = std::make_unique<ir::Plan>(ir::make_plan(std::move(block), layouts));
  // The tree keeps the places of results, not the graph.
  spec->tree = runtime::map_leaves(traced.result, [](const Value& v) { return v.is(ObjectKind::Lazy) ? Value::none() : v; });
  decide_short(*spec);
  return spec;
}

}  // namespace autoray::codegen
