// Calls of what was compiled: arguments in, results out, and what the plain call writes and shares.
#include <algorithm>

#include "codegen/autojit.h"
#include "codegen/call_key.h"
#include "codegen/function_trace.h"
#include "codegen/specialisation.h"
#include "ir/error.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/executor.h"
#include "runtime/lazy/function.h"
#include "runtime/lazy/recorder.h"

namespace autoray::codegen {

using ir::Error;
using ir::ErrorClass;
using runtime::Arguments;
using runtime::Array;
using runtime::Runtime;
using runtime::Value;

namespace {

// The call's array for an argument of the plan, whose leaf has the number given. `made`: of numbers, by as many pointers as
// there are arguments.
[[gnu::always_inline]] inline const Array& given_array(Runtime& runtime, const Specialisation& spec, const Reading& reading,
                                                       std::size_t argument, int number, std::vector<Array>& made) {
  // Captured arrays that were found unchanged are not read again.
  if (number < 0 || static_cast<std::size_t>(number) >= reading.leaves.size()) [[unlikely]]
    return spec.captured[argument];
  const Reading::Leaf& leaf = reading.leaves[static_cast<std::size_t>(number)];
  if (leaf.array) [[likely]]
    return *leaf.array;
  made.reserve(spec.argument_leaf.size());
  return made.emplace_back(runtime::to_array(runtime, *leaf.value));
}

// A program's call with the arrays that were given.
class Given : public Program::Call {
 public:
  [[gnu::always_inline]] Given(Runtime& runtime, const Specialisation& spec, const Reading& reading)
      : Call(*spec.program, runtime) {
    std::size_t a = 0;
    for (int leaf : spec.argument_leaf) {
      if (leaf >= 0) argument(a, given_array(runtime, spec, reading, a, leaf, made_));
      ++a;
    }
  }
  std::vector<Array> copies() const {
    std::vector<Array> list;
    for (const Array* a : arguments()) list.push_back(*a);
    return list;
  }

 private:
  std::vector<Array> made_;  // of numbers
};

[[gnu::always_inline]] inline void run_and_tell(Runtime& runtime, const Specialisation& spec, Given& call) {
  if (unsigned events = call.run(); events && spec.events.is_due(runtime, spec.plan->block, events)) [[unlikely]]
    spec.events.tell(runtime, *spec.plan, call.copies(), events);
}

// Its frames are those below the call's.
void in_place_of_trace(Runtime& runtime, const Specialisation& spec, Error& error) {
  error.with_source_frames(runtime.recorder().tables().sources.depth(error.source()) - spec.stack_depth);
}

void write_back(Runtime& runtime, const Array& target, const Array& result) {
  runtime::copy_into(runtime, result, target);
  if (target.storage) target.storage->bump_version();
}

// An array whose memory nobody else knows takes over that of what is written to it: nothing is copied.
bool changes_hands(const Reading::Leaf& given, Array& result) {
  auto* object = given.value ? given.value->get_if<runtime::ArrayObject>() : nullptr;
  if (!object || &object->array != given.array) return false;
  Array& target = object->array;
  auto alone = [](const Array& a) {
    return a.storage && a.storage->unique() && !a.storage->adopted() && a.can_write() && a.data == a.storage->data() &&
           static_cast<std::int64_t>(a.storage->bytes()) == a.nbytes() && a.c_contiguous();
  };
  if (target.dtype != result.dtype || target.shape != result.shape || !alone(target) || !alone(result)) return false;
  result.storage->follow(*target.storage.get());
  std::swap(target.storage, result.storage);
  std::swap(target.data, result.data);
  return true;
}

// The result with its leaves, once the arguments are written.
Value finished(Runtime& runtime, const Value& tree, std::span<const ResultLeaf> leaves,
               std::span<const std::pair<int, int>> written, const Reading& reading, std::span<Array> results) {
  for (const auto& [number, argument] : written) {
    const Reading::Leaf& given = reading.leaves[static_cast<std::size_t>(argument)];
    Array& result = results[static_cast<std::size_t>(number)];
    bool needed = std::ranges::any_of(leaves, [&](const ResultLeaf& leaf) { return leaf.result == number; }) ||
                  std::ranges::count(written, number, &std::pair<int, int>::first) > 1;
    if (needed || !changes_hands(given, result)) write_back(runtime, *given.array, result);
  }
  std::size_t next = 0;
  auto leaf_value = [&](const Value& v) -> Value {
    const ResultLeaf& leaf = leaves[next++];
    if (leaf.argument >= 0) {
      const Reading::Leaf& given = reading.leaves[static_cast<std::size_t>(leaf.argument)];
      return leaf.view ? runtime::make_array(leaf.of(*given.array)) : *given.value;
    }
    if (leaf.result < 0) return v;
    return runtime::from_kind(std::move(results[static_cast<std::size_t>(leaf.result)]), leaf.kind);
  };
  return runtime::map_leaves(tree, std::cref(leaf_value));
}

// The same where every result has memory of its own (Specialisation::direct): straight into the arrays that the script gets.
Value finished(const Specialisation& spec, Program::Call& call) {
  std::size_t next = 0;
  auto leaf_value = [&](const Value&) -> Value {
    const ResultLeaf& leaf = spec.leaves[next++];
    auto object = runtime::make<runtime::ArrayObject>([&] { return call.take_result(static_cast<std::size_t>(leaf.result)); });
    if (leaf.kind == ir::Kind::Array) return object;
    return runtime::from_kind(std::move(object->array), leaf.kind);
  };
  return spec.tree.is_object() ? runtime::map_leaves(spec.tree, std::cref(leaf_value)) : leaf_value(spec.tree);
}

}  // namespace

Value AutoJit::first_result(Specialisation& spec, const Reading& reading) {
  spec.first_result = false;
  Value result = std::move(spec.tree);
  bool whole = std::all_of(spec.leaves.begin(), spec.leaves.end(), [](const auto& leaf) { return leaf.argument < 0; });
  if (whole) return result;
  std::size_t next = 0;
  // An argument that comes back is the caller's own.
  return runtime::map_leaves(result, [&](const Value& v) {
    const ResultLeaf& leaf = spec.leaves[next++];
    return leaf.argument >= 0 ? *reading.leaves[static_cast<std::size_t>(leaf.argument)].value : v;
  });
}

Value AutoJit::run(Runtime& runtime, const Specialisation& spec, const Reading& reading) const {
  if (!spec.direct) return run_and_copy(runtime, spec, reading);
  try {
    Given call(runtime, spec, reading);
    run_and_tell(runtime, spec, call);
    return finished(spec, call);
  } catch (Error& error) {
    in_place_of_trace(runtime, spec, error);
    throw;
  }
}

Value AutoJit::run_and_copy(Runtime& runtime, const Specialisation& spec, const Reading& reading) const {
  std::vector<Array> results;
  try {
    if (spec.program) {
      Given call(runtime, spec, reading);
      run_and_tell(runtime, spec, call);
      results.resize(spec.program->results.size());
      for (std::size_t r = 0; r < results.size(); ++r) results[r] = call.take_result(r);
    } else {
      std::vector<Array> given, made;
      for (std::size_t a = 0; a < spec.argument_leaf.size(); ++a)
        given.push_back(given_array(runtime, spec, reading, a, spec.argument_leaf[a], made));
      results = runtime::run_plan(runtime, *spec.plan, given);
    }
  } catch (Error& error) {
    in_place_of_trace(runtime, spec, error);
    throw;
  }
  // What has memory of its own eagerly is taken out before arguments change.
  for (const ResultLeaf& leaf : spec.leaves)
    if (leaf.copy) {
      Array& result = results[static_cast<std::size_t>(leaf.result)];
      result = runtime::converted(runtime, result, result.dtype);
    }
  return finished(runtime, spec.tree, spec.leaves, spec.written, reading, results);
}

Value AutoJit::run_in_segments(Runtime& runtime, Specialisation& spec, const Arguments& arguments, Reading& reading,
                               const std::vector<std::string>& parts) {
  runtime::Recorder& recorder = runtime.recorder();
  Segments& segments = *spec.segments;
  segments.counts = {};
  segments.stack_depth = recorder.stack_depth();
  FunctionTrace traced(runtime, reading, {}, Known::Elements);
  auto plainly = [&](const std::string& why) {
    recorder.forget_draws();
    spec.plain = why;
    spec.segments = nullptr;
    if (runtime.on_explain) explain(runtime, reading, parts, "plain call", why);
  };
  struct End {
    ~End() { recorder.end_segment = nullptr; }
    runtime::Recorder& recorder;
  } end{recorder};
  // Nothing has happened before the function has returned: until then the call may run plainly after all.
  recorder.end_segment = [&](std::span<const ir::NodeId> needed) {
    if (!recorder.pending_draws().empty())
      throw Error(ErrorClass::NotImplementedError, "a traced function draws before a shape that depends on values")
          .with_code(202);
    segments.compute(recorder, runtime::with_living(recorder, needed));
  };
  try {
    traced.run(function_, arguments, [&](std::span<const runtime::CapturedPlace> places) {
      std::string key;
      KeyWriter writer(key);
      write_captured(writer, places, reading);
    });
  } catch (const Error& error) {
    if (error.code() != runtime::kValueNeeded && error.code() != 202) throw;
    plainly(error.message());
  } catch (const runtime::Raised& raised) {
    auto* exception = raised.exception.get_if<runtime::Exception>();
    if (!exception || (exception->code != runtime::kValueNeeded && exception->code != 202)) throw;
    plainly(exception->args.empty() ? std::string() : runtime::text_of(exception->args[0], "message"));
  }
  if (!spec.plain.empty()) return function_.as<Callable>().call(runtime, arguments);
  std::vector<ir::NodeId> roots = traced.roots;
  for (ir::NodeId draw : recorder.pending_draws()) roots.push_back(draw);
  segments.compute(recorder, roots);
  std::vector<Array> results;
  for (ir::NodeId id : traced.roots) results.push_back(recorder.owned_array(id));
  if (runtime.on_explain)
    explain(runtime, reading, parts, "in segments",
            std::to_string(segments.counts.run) + " segments, " + std::to_string(segments.counts.built) + " new (" + spec.note +
                ")");
  return finished(runtime, traced.result, traced.result_leaves, traced.written, reading, results);
}

// ---- calls from C++ ----

bool AutoJit::run(Runtime& runtime, const Specialisation& spec, const Reading& reading, std::span<Array* const> results,
                  bool in_turn) const {
  Given call(runtime, spec, reading);
  if (unsigned events = call.run(); events && spec.events.is_due(runtime, spec.plan->block, events)) {
    if (!in_turn) return false;
    spec.events.tell(runtime, *spec.plan, call.copies(), events);
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    const ResultLeaf& leaf = spec.leaves[i];
    if (leaf.argument >= 0) {
      *results[i] = leaf.of(*reading.leaves[static_cast<std::size_t>(leaf.argument)].array);
      continue;
    }
    *results[i] = call.take_result(static_cast<std::size_t>(leaf.result));
    if (leaf.copy) *results[i] = runtime::converted(runtime, *results[i], results[i]->dtype);
  }
  for (std::size_t i = 0; i < spec.written.size(); ++i) {
    write_back(runtime, *reading.leaves[static_cast<std::size_t>(spec.written[i].second)].array,
               call.take_result(static_cast<std::size_t>(spec.written[i].first)));
  }
  return true;
}

bool AutoJit::run_into(Runtime& runtime, const Specialisation& spec, const Reading& reading,
                       std::span<const Array* const> outputs) const {
  if (!spec.direct || outputs.size() != spec.leaves.size() || raises_events(runtime)) return false;
  Given call(runtime, spec, reading);
  ir::SmallVector<char*, 8> memory(outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Array& to = *outputs[i];
    const Located& result = spec.program->results[static_cast<std::size_t>(spec.leaves[i].result)];
    if (to.dtype != result.type.dtype || to.shape != result.type.shape || !to.c_contiguous() || !to.can_write()) return false;
    for (const Array* a : call.arguments())
      if (runtime::may_overlap(*a, to)) return false;
    for (std::size_t k = 0; k < i; ++k)
      if (runtime::may_overlap(*outputs[k], to)) return false;
    memory[result.place.number] = to.data;
  }
  unsigned events = call.run(memory);
  return !events || !spec.events.is_due(runtime, spec.plan->block, events);
}

}  // namespace autoray::codegen
