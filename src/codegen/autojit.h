// autojit(fn): calls of fn are traced once for every different kind of arguments, compiled, and from then on run as native code
// (backend "native") or call by call on the runtime's kernels (backend "plan"). Backend "eager" leaves the function as it is.
//
// What makes two calls the same kind: the containers and their keys, dtype, shape, strides and backend of every array, which of
// them are one array or overlap, the values of ints, bools, strings and None, and the options. Python floats and numpy scalars
// are values of the run, unless the trace needs to know one. Keys are compared byte by byte.
//
// What the function reads from outside of its arguments (runtime::Captures) is looked at again by each call: arrays are hidden
// arguments, all other values, containers item by item, have to be what they were; else the function is traced anew, and a
// float that has changed is a hidden argument from then on. A function that assigns a variable that is not its own, or changes
// a container, runs plainly.
//
// Where shapes depend on values (x[mask], nonzero), calls run in segments: segments.h.
//
// A compiled call means what the plain call means: arguments that the function writes are written when everything is computed,
// a result that is a view of an argument is that view. What cannot be compiled runs plainly, and the explanation says why.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "codegen/jit.h"
#include "runtime/lazy/captures.h"
#include "runtime/objects.h"

namespace autoray::codegen {

// Eager: the function as it is, neither traced nor compiled. Object: nothing is compiled in this process, and nothing calls the
// runtime where code can be written.
enum class JitBackend : std::uint8_t { Native, Plan, Eager, Object };

struct Specialisation;  // what one kind of call compiled to
struct Reading;         // what a call was given

class AutoJit final : public runtime::Callable {
 public:
  AutoJit(std::shared_ptr<Jit> jit, runtime::Value function, JitBackend backend);
  ~AutoJit() override;

  // fn's own arguments, and `backend=` for this call.
  runtime::Value call(runtime::Runtime& runtime, const runtime::Arguments& arguments) override;
  std::string callable_name() const override { return name_; }
  std::string_view callable_type() const override { return "AutoCompiled"; }
  bool get_attribute(runtime::Runtime& runtime, std::string_view name, runtime::Value& result) override;
  bool set_attribute(runtime::Runtime& runtime, std::string_view name, const runtime::Value& value) override;
  void clear() override;

  // The call traced and lowered, but not run: no element of its arrays is read. Unlike a call, it throws where tracing fails.
  std::shared_ptr<const Specialisation> specialise(runtime::Runtime& runtime, const runtime::Arguments& arguments);

  double compile_seconds() const { return compile_seconds_; }

  // ---- calls from C++ with arrays in position: no lock, no allocation but of results ----
  // What calls with the arrays of `reading` compiled to; null when that is not known yet, or they need the general way. From
  // any thread. `reading` belongs to the calls of `run` that follow. `state` counts the times at which scripts may have changed
  // what the function captured; even while none runs. Where nothing was captured or it was found unchanged in this state,
  // nothing of it is read; otherwise null.
  const Specialisation* find(runtime::Runtime& runtime, const std::atomic<std::uint64_t>& state, Reading& reading) const;
  // The same in turn: what was captured is looked at.
  const Specialisation* find_in_turn(runtime::Runtime& runtime, std::uint64_t state, Reading& reading) const;
  // As many new arrays as the specialisation has leaves. Beside other calls when the specialisation says so; false then: call
  // again in turn, there is something to tell of (numpy's warnings).
  bool run(runtime::Runtime& runtime, const Specialisation& spec, const Reading& reading,
           std::span<runtime::Array* const> results, bool in_turn) const;
  // Computes in the memory of the outputs; false when that is not possible: `run` and copy.
  bool run_into(runtime::Runtime& runtime, const Specialisation& spec, const Reading& reading,
                std::span<const runtime::Array* const> outputs) const;

 private:
  // Calls of one key. What they compiled to differs in captured values; the newest last.
  struct CallKind {
    std::vector<std::shared_ptr<Specialisation>> traced;
    bool needs_values = false;  // that are not part of this key
    // Floats that were found to have changed: values of the run, like arrays, unless the trace needs to know one.
    std::vector<runtime::CapturedPlace> varying;
    bool constant_floats = false;  // it did
  };

  runtime::Value call(runtime::Runtime& runtime, const runtime::Arguments& arguments, JitBackend backend);
  runtime::Value call_with_keywords(runtime::Runtime& runtime, const runtime::Arguments& arguments);
  static void note_varying(CallKind& kind);
  runtime::Value look_up(runtime::Runtime& runtime, const runtime::Arguments& arguments, JitBackend backend);
  // Adds the captured arrays to the reading's leaves. Null: values are needed that the reading does not count.
  std::shared_ptr<Specialisation> trace(runtime::Runtime& runtime, const runtime::Arguments& arguments, Reading& reading,
                                        std::span<const runtime::CapturedPlace> varying = {});
  void publish(std::string_view key, Specialisation& spec);
  runtime::Value first_result(Specialisation& spec, const Reading& reading);
  runtime::Value run(runtime::Runtime& runtime, const Specialisation& spec, const Reading& reading) const;
  runtime::Value run_and_copy(runtime::Runtime& runtime, const Specialisation& spec, const Reading& reading) const;
  runtime::Value run_in_segments(runtime::Runtime& runtime, Specialisation& spec, const runtime::Arguments& arguments,
                                 Reading& reading, const std::vector<std::string>& parts);
  // `before`: what else calls of this key compiled to; null: nothing.
  void explain_new(runtime::Runtime& runtime, const Reading& reading, const std::vector<std::string>& parts,
                   const Specialisation& spec, const Specialisation* before) const;
  void explain(runtime::Runtime& runtime, const Reading& reading, const std::vector<std::string>& parts,
               const std::string& what, const std::string& how) const;

  std::shared_ptr<Jit> jit_;
  runtime::Value function_;
  std::string name_;
  JitBackend backend_;
  std::unordered_map<std::string, CallKind> known_;
  std::vector<std::shared_ptr<Specialisation>> retired_;  // what another took the place of: a call may still run it
  std::atomic<const Specialisation*> newest_{nullptr};    // of those that run compiled; the others follow
  std::vector<std::string> last_parts_;                   // of the newest key: what a recompile differs in
  double compile_seconds_ = 0;
};

// What `autoray.autojit` is: autojit(fn), @autojit, @autojit(backend=...).
runtime::Value make_autojit_function(std::shared_ptr<Jit> jit);

}  // namespace autoray::codegen
