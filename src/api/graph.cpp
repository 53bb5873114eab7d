// Tracing for the host program: a function called on variables, and the graph of what it returns and writes.
#include "autoray/graph.h"

#include "api/access.h"
#include "frontend/types/lazy_type.h"
#include "runtime/lazy/drawing.h"
#include "runtime/lazy/function.h"

namespace autoray {

namespace detail {

struct GraphState {
  std::shared_ptr<EngineState> engine;
  std::vector<runtime::Value> roots;  // lazy arrays
  std::string title;

  ~GraphState() {
    Turn turn(*engine);
    roots.clear();
  }
  std::vector<ir::NodeId> nodes() const {
    std::vector<ir::NodeId> list;
    for (const runtime::Value& root : roots) list.push_back(root.as<runtime::LazyArray>().node());
    return list;
  }
};

namespace {

// What records while a function is traced; ended by exceptions too.
struct Tracing {
  Tracing(runtime::Recorder& r, bool shared) : recorder(r), shares(shared) {
    ++recorder.tracing;
    if (shares) recorder.sharing.push_back(runtime::make<runtime::SharingCache>(recorder.graph()));
  }
  ~Tracing() {
    --recorder.tracing;
    if (shares) recorder.sharing.pop_back();
  }
  runtime::Recorder& recorder;
  bool shares;
};

}  // namespace

}  // namespace detail

using detail::EngineState;

Value Engine::variable(std::string_view dtype, const std::vector<std::int64_t>& shape) {
  return detail::enter(*state_, [&] {
    auto parsed = ir::parse_dtype(dtype);
    if (!parsed)
      throw ir::Error(ir::ErrorClass::TypeError, "data type '" + std::string(dtype) + "' not understood").with_code(403);
    runtime::Runtime& r = *state_->runtime;
    return EngineState::wrap(state_, r.recorder().variable(*parsed, ir::Dims(shape.begin(), shape.end()), r.native_backend()));
  });
}

Value Engine::sequence(const std::vector<Value>& items, bool tuple) {
  detail::Turn turn(*state_);
  std::vector<runtime::Value> values;
  for (const Value& item : items) values.push_back(EngineState::unwrap(item));
  return EngineState::wrap(state_, tuple ? runtime::make_tuple(std::move(values)) : runtime::make_list(std::move(values)));
}

Graph Program::trace(std::string_view function, const std::vector<Named>& arguments, bool shared) {
  Graph graph;
  detail::enter(*engine_, [&] {
    runtime::Recorder& recorder = engine_->runtime->recorder();
    std::vector<std::pair<runtime::Value, ir::NodeId>> given;
    for (const Named& argument : arguments)
      runtime::for_each_leaf(EngineState::unwrap(argument.value), [&](const runtime::Value& leaf) {
        auto* lazy = leaf.get_if<runtime::LazyArray>();
        if (!lazy) return;
        recorder.name(*lazy, recorder.tables().names.intern(argument.name));
        given.emplace_back(leaf, lazy->node());
      });
    detail::Tracing tracing(recorder, shared);
    Value result = call(function, arguments);
    auto state = std::make_shared<detail::GraphState>();
    state->engine = engine_;
    state->title = std::string(function);
    runtime::for_each_leaf(EngineState::unwrap(result), [&](const runtime::Value& leaf) {
      if (leaf.is(runtime::ObjectKind::Lazy)) state->roots.push_back(leaf);
    });
    // What the function wrote in place is a result too.
    for (auto& [leaf, node] : given) {
      ir::NodeId now = leaf.as<runtime::LazyArray>().node();
      bool returned = now == node;
      for (ir::NodeId root : state->nodes()) returned = returned || root == now;
      if (!returned) state->roots.push_back(leaf);
    }
    graph.state_ = std::move(state);
  });
  return graph;
}

Graph Program::recorded(std::string_view title) {
  Graph graph;
  detail::enter(*engine_, [&] {
    auto state = std::make_shared<detail::GraphState>();
    state->engine = engine_;
    state->title = std::string(title);
    engine_->programs[index_]->for_each_global([&](const runtime::Value& value) {
      runtime::for_each_leaf(value, [&](const runtime::Value& leaf) {
        if (leaf.is(runtime::ObjectKind::Lazy)) state->roots.push_back(leaf);
      });
    });
    graph.state_ = std::move(state);
  });
  return graph;
}

std::size_t Graph::size() const {
  if (!state_) return 0;
  return detail::enter(*state_->engine,
                       [&] { return state_->engine->runtime->recorder().graph().ascend(state_->nodes()).size(); });
}

std::string Graph::write(GraphFormat format, const GraphView& view) const {
  if (!state_) detail::raise(ir::Error(ir::ErrorClass::ValueError, "the graph is empty: Program::trace makes one"));
  runtime::DrawingOptions options;
  options.title = state_->title;
  options.optimised = view.optimised;
  auto colouring = ir::picture::find_colouring(view.colour);
  if (!colouring)
    detail::raise(ir::Error(ir::ErrorClass::ValueError, "unknown colouring '" + view.colour + "'")
                      .with_hint("operation, flops, bytes or memory"),
                  2);
  options.style.colouring = *colouring;
  static constexpr runtime::DrawingFormat kFormats[] = {runtime::DrawingFormat::Text,     runtime::DrawingFormat::Dot,
                                                        runtime::DrawingFormat::Svg,      runtime::DrawingFormat::Html,
                                                        runtime::DrawingFormat::Json,     runtime::DrawingFormat::Table,
                                                        runtime::DrawingFormat::TableJson};
  return detail::enter(*state_->engine, [&] {
    return runtime::draw(state_->engine->runtime->recorder(), state_->nodes(), kFormats[static_cast<int>(format)], options);
  });
}

}  // namespace autoray
