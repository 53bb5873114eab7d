#include "codegen/autojit.h"

#include <algorithm>
#include <chrono>

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
using runtime::ObjectKind;
using runtime::Runtime;
using runtime::Value;

namespace {

constexpr int kTried = 8;  // specialisations that a call is compared with, the newest first, before its key is looked up
constexpr std::size_t kMostTraced = 64;  // for one key: a function whose captured values change with every call runs plainly

JitBackend backend_named(const Value& name) {
  const std::string& text = runtime::text_of(name, "backend");
  if (text == "native") return JitBackend::Native;
  if (text == "plan" || text == "python") return JitBackend::Plan;
  if (text == "eager") return JitBackend::Eager;
  throw Error(ErrorClass::ValueError, "autojit has no backend '" + text + "'")
      .with_hint("the backends are native, plan and eager");
}

// A function that was registered since would take part.
bool outdated(Runtime& runtime, const Specialisation& spec) {
  for (auto [id, op] : spec.dispatched)
    if (runtime.entry(id, op).registered) return true;
  return false;
}

// The newest specialisation that `match(spec)` says is of the call's kind, of those that are tried; null: none of them. A match
// fills `reading`, behind the leaves that it has.
template <class Match>
const Specialisation* newest_like(const Specialisation* spec, Reading& reading, Match match) {
  const std::size_t own = reading.leaves.size();
  for (int i = 0; spec && i < kTried; ++i, spec = spec->older) {
    reading.leaves.cut(own);
    reading.overlap = false;
    reading.floats_static = spec->floats_static;
    reading.captured_static = spec->captured_static;
    if (!spec->stale.load(std::memory_order_relaxed) && match(*spec)) return spec;
  }
  return nullptr;
}

[[gnu::noinline]] bool stand_as_before(const Specialisation& spec) {
  const runtime::CapturedPlace* place = spec.places.data();
  for (const Value& then : spec.standing) {
    const Value* now = (place++)->value();
    if (!(now ? now->identical(then) : then.empty())) return false;
  }
  return true;
}

// Whether what stands at the captured places is what stood there when it was traced; then captured arrays are leaves of the
// reading.
[[gnu::noinline]] bool match_values(const Specialisation& spec, Reading& reading) {
  const std::size_t own = reading.leaves.size();
  const bool overlap = reading.overlap;
  if (match_captured(spec.captured_key, spec.places, reading)) return true;
  reading.leaves.resize(own);
  reading.overlap = overlap;
  return false;
}
[[gnu::always_inline]] inline bool match_places(const Specialisation& spec, Reading& reading) {
  if (spec.places.empty() || (!spec.standing.empty() && stand_as_before(spec))) return true;
  return match_values(spec, reading);
}

}  // namespace

AutoJit::AutoJit(std::shared_ptr<Jit> jit, Value function, JitBackend backend)
    : jit_(std::move(jit)), function_(std::move(function)), backend_(backend) {
  name_ = function_.as<Callable>().callable_name();
}
AutoJit::~AutoJit() = default;

void AutoJit::clear() {
  function_.clear();
  newest_ = nullptr;
  known_.clear();
  retired_.clear();
}

// ---- a call ----

Value AutoJit::call(Runtime& runtime, const Arguments& given) {
  return given.keyword_names.empty() ? call(runtime, given, backend_) : call_with_keywords(runtime, given);
}

Value AutoJit::call_with_keywords(Runtime& runtime, const Arguments& given) {
  for (std::size_t i = 0; i < given.keyword_names.size(); ++i) {
    if (given.keyword_names[i] != "backend") continue;
    // It belongs to the call, not to fn.
    ir::SmallVector<std::string_view, 4> names;
    std::vector<Value> values;
    for (std::size_t k = 0; k < given.keyword_names.size(); ++k) {
      if (k == i) continue;
      names.push_back(given.keyword_names[k]);
      values.push_back(given.keyword_values[k]);
    }
    return call(runtime, {given.positional, names, values}, backend_named(given.keyword_values[i]));
  }
  return call(runtime, given, backend_);
}

Value AutoJit::call(Runtime& runtime, const Arguments& arguments, JitBackend backend) {
  if (runtime.recorder().tracing || backend == JitBackend::Eager) return function_.as<Callable>().call(runtime, arguments);
  if (!runtime.on_explain) {
    Reading reading;
    reading.backend = backend;
    const Specialisation* spec = newest_like(newest_.load(std::memory_order_relaxed), reading, [&](const Specialisation& s) {
      return match_key(s.key, arguments, reading) && match_places(s, reading);
    });
    if (spec && !outdated(runtime, *spec)) return run(runtime, *spec, reading);
  }
  return look_up(runtime, arguments, backend);
}

Value AutoJit::look_up(Runtime& runtime, const Arguments& arguments, JitBackend backend) {
  auto& function = function_.as<Callable>();
  // What the key counts beside kinds: nothing; the values of floats; the elements of captured arrays too.
  for (int counted = 0;; ++counted) {
    Reading reading;
    reading.backend = backend;
    reading.floats_static = counted >= 1;
    reading.captured_static = counted >= 2;
    std::string key;
    std::vector<std::string> parts;  // the key in readable pieces, made only for explanations
    std::vector<Value> held;
    KeyWriter writer(key, runtime.on_explain ? &parts : nullptr, &held);
    write_key(writer, arguments, reading);
    if (reading.lazy) return function.call(runtime, arguments);
    bool floats = std::any_of(reading.leaves.begin(), reading.leaves.end(), [](const auto& leaf) { return leaf.is_float(); });
    if (counted == 1 && !floats) continue;
    CallKind& kind = known_[key];
    std::erase_if(kind.traced, [&](std::shared_ptr<Specialisation>& spec) {
      if (!outdated(runtime, *spec)) return false;
      spec->stale = true;
      retired_.push_back(std::move(spec));
      return true;
    });
    if (kind.needs_values) continue;
    auto found = std::find_if(kind.traced.rbegin(), kind.traced.rend(),
                              [&](const auto& known) { return match_places(*known, reading); });
    std::shared_ptr<Specialisation> spec = found == kind.traced.rend() ? nullptr : *found;
    if (spec && runtime.on_explain) {
      if (!spec->segments)
        explain(runtime, reading, parts, spec->plain.empty() ? "hit" : "plain call",
                spec->plain.empty() ? spec->note : spec->plain);
    } else if (!spec) {
      auto begin = std::chrono::steady_clock::now();
      reading.keep();
      if (counted == 0) note_varying(kind);
      if (kind.traced.size() < kMostTraced) {
        spec = trace(runtime, arguments, reading, kind.varying);
      } else {
        spec = std::make_shared<Specialisation>();
        spec->plain = "what it reads from outside changes with every call";
      }
      compile_seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      if (!spec && !kind.varying.empty()) {
        kind.varying.clear();
        kind.constant_floats = true;
        --counted;
        continue;
      }
      kind.needs_values = !spec;
      if (!spec) continue;
      spec->held.insert(spec->held.end(), held.begin(), held.end());
      if (runtime.on_explain && !spec->segments)
        explain_new(runtime, reading, parts, *spec, kind.traced.empty() ? nullptr : kind.traced.back().get());
      kind.traced.push_back(spec);
      publish(known_.find(key)->first, *spec);
    }
    if (runtime.on_explain) last_parts_ = parts;
    if (spec->first_result) return first_result(*spec, reading);
    if (spec->segments) return run_in_segments(runtime, *spec, arguments, reading, parts);
    if (!spec->plain.empty()) return function.call(runtime, arguments);
    return run(runtime, *spec, reading);
  }
}

std::shared_ptr<const Specialisation> AutoJit::specialise(Runtime& runtime, const Arguments& arguments) {
  for (bool floats_static : {false, true}) {
    Reading reading;
    reading.backend = backend_;
    reading.floats_static = floats_static;
    std::string key;
    KeyWriter writer(key);
    write_key(writer, arguments, reading);
    reading.keep();
    if (auto spec = trace(runtime, arguments, reading)) return spec;
  }
  throw Error(ErrorClass::SystemError, "code generation: a trace without floats needs the value of one");
}

void AutoJit::publish(std::string_view key, Specialisation& spec) {
  spec.key = key;
  if (!spec.plain.empty() || spec.segments) return;
  spec.older = newest_.load(std::memory_order_relaxed);
  newest_.store(&spec, std::memory_order_release);
}

// ---- calls from C++ ----

const Specialisation* AutoJit::find(Runtime& runtime, const std::atomic<std::uint64_t>& state, Reading& reading) const {
  if (runtime.on_explain) return nullptr;
  reading.backend = backend_;
  const Specialisation* spec = newest_like(newest_.load(std::memory_order_acquire), reading, [&](const Specialisation& s) {
    if (!match_key(s.key, runtime.native_backend(), reading)) return false;
    return s.places.empty() || s.unchanged.load(std::memory_order_acquire) == state.load(std::memory_order_acquire);
  });
  return spec && spec->shortly != Specialisation::Short::No && !outdated(runtime, *spec) ? spec : nullptr;
}

const Specialisation* AutoJit::find_in_turn(Runtime& runtime, std::uint64_t state, Reading& reading) const {
  if (runtime.on_explain) return nullptr;
  reading.backend = backend_;
  const Specialisation* spec = newest_like(newest_.load(std::memory_order_relaxed), reading, [&](const Specialisation& s) {
    return match_key(s.key, runtime.native_backend(), reading) && match_places(s, reading);
  });
  if (!spec || spec->shortly == Specialisation::Short::No || outdated(runtime, *spec)) return nullptr;
  // Calls beside each other have the arrays that were captured then.
  bool same = state % 2 == 0;
  for (std::size_t a = 0; same && a < spec->argument_leaf.size(); ++a) {
    auto leaf = static_cast<std::size_t>(spec->argument_leaf[a]);
    if (spec->argument_leaf[a] < 0 || leaf < spec->own_leaves) continue;
    const Array *now = reading.leaves[leaf].array, &then = spec->captured[a];
    same = now && now->data == then.data && now->storage.get() == then.storage.get();
  }
  if (same) spec->unchanged.store(state, std::memory_order_release);
  return spec;
}

bool AutoJit::get_attribute(Runtime& runtime, std::string_view name, Value& result) {
  if (name == "__wrapped__") {
    result = function_;
    return true;
  }
  if (name == "compile_seconds") {
    result = Value::real(compile_seconds_);
    return true;
  }
  if (name == "program_text" || name == "llvm_text") {
    std::string text;
    for (auto& [key, kind] : known_)
      for (auto& spec : kind.traced) {
        if (!spec->program) continue;
        std::vector<const Kernel*> kernels;
        for (const Kernel& k : spec->program->sources) kernels.push_back(&k);
        text += name == "program_text" ? spec->program->text() : jit_->llvm_text(kernels);
      }
    result = runtime::make_str(text);
    return true;
  }
  return function_.as<Callable>().get_attribute(runtime, name, result);
}
bool AutoJit::set_attribute(Runtime& runtime, std::string_view name, const Value& value) {
  return function_.as<Callable>().set_attribute(runtime, name, value);
}

// ---- autojit(...) ----

Value make_autojit_function(std::shared_ptr<Jit> jit) {
  return runtime::make_native("autojit", [jit](Runtime&, const Arguments& a) -> Value {
    JitBackend backend = JitBackend::Native;
    Value function;
    if (a.positional.size() > 1) throw Error(ErrorClass::TypeError, "autojit() takes one function");
    if (!a.positional.empty()) function = a.positional[0];
    for (std::size_t i = 0; i < a.keyword_names.size(); ++i) {
      const Value& v = a.keyword_values[i];
      if (a.keyword_names[i] == "fn") {
        function = v;
      } else if (a.keyword_names[i] == "backend") {
        if (v.is_none()) continue;
        backend = backend_named(v);
      } else if (a.keyword_names[i] != "compiler_opts") {
        throw Error(ErrorClass::TypeError,
                    "autojit() got an unexpected keyword argument '" + std::string(a.keyword_names[i]) + "'");
      }
    }
    auto compiled = [jit, backend](const Value& f) -> Value {
      if (!f.is(ObjectKind::Callable))
        throw Error(ErrorClass::TypeError, "autojit() takes a function, not " + runtime::type_name(f));
      return runtime::make<AutoJit>(jit, f, backend);
    };
    if (!function.empty() && !function.is_none()) return compiled(function);
    return runtime::make_native("autojit", [compiled](Runtime&, const Arguments& b) -> Value {
      if (b.positional.size() != 1 || !b.keyword_names.empty())
        throw Error(ErrorClass::TypeError, "autojit() takes one function");
      return compiled(b.positional[0]);
    });
  });
}

}  // namespace autoray::codegen
