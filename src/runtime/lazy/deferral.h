// Deferred computing: every operation of a script is recorded, and computed when the script needs a value: to print it, to
// branch on it, to index a list by it. Arrays and numpy scalars stay what they are for the script; behind them stands a lazy
// array.
//
// An ArrayObject that is deferred holds the type, shape and strides that it has; looking into its data (Value::as, get_if)
// computes its node, together with all other nodes of that graph that live arrays stand for. What an eager operation writes
// into it meanwhile becomes a write of the graph before the next operation is recorded.
//
// Operations whose results' shapes depend on data, and those that answer with something else than arrays, are computed at once.
// So is everything while numpy's errors are raised (np.errstate) or a `try` waits for an exception.
#pragma once

#include "runtime/lazy/recorder.h"

namespace autoray::runtime {

// Behind a deferred ArrayObject: where its truth stands, and what was handed out of it.
struct Deferred final : Object {
  explicit Deferred(Ref<LazyArray> l) : Object(ObjectKind::Lazy), lazy(std::move(l)) {}
  Ref<LazyArray> lazy;
  std::int64_t shown = -1;    // the version of `lazy` whose value the object holds; -1: none yet
  std::uint64_t version = 0;  // of that value's storage when it was copied: a later one was written eagerly
  bool handed_out = false;
  int age = 0;  // looks at it since
};
inline Deferred& behind(const ArrayObject& object) { return static_cast<Deferred&>(*object.recorded.get()); }

class Deferral {
 public:
  Deferral(Runtime& runtime, Defer mode);
  // Of all passes this one alone.
  void set_pass(std::string name);
  ~Deferral();

  // As Runtime::call.
  Value call(ir::OpId id, BackendId backend, const Arguments& arguments, BitGenerator* generator);
  Value get_item(const Value& array, const Value& key);
  void set_item(const Value& array, const Value& key, const Value& item);
  void inplace(ir::OpId id, const Value& target, const Value& operand);
  // x.shape = ...: the object becomes a view of what it was.
  void reshape(ArrayObject& object, const ir::Dims& shape);
  bool may_share(const Value& a, const Value& b);

  // The script's arrays and scalars for a lazy array or a container of them, and back.
  Value present(Value recorded);
  Value record(const Value& value);

  void settle(ArrayObject& object);
  void settle(NumpyScalar& object);
  // Before a graph of the script's own is computed: the arrays that it holds have what was written into them.
  void refresh();
  // Draws that were recorded happen before what else reads the generators' states.
  void finish_draws();

  int direct = 0;    // above zero: calls are the runtime's own, nothing is recorded
  int prompt = 0;    // above zero: what is recorded is computed at once, so that its errors are raised where it stands
  int printing = 0;  // above zero: values are asked for to be shown

  struct Statistics {
    std::int64_t recorded = 0, eager = 0, computed = 0, demands = 0;
  };
  // Nodes recorded, calls made at once, nodes computed; how often a value was asked for other than by printing.
  Statistics statistics;

 private:
  struct Scope {
    explicit Scope(int& c) : count(c) { ++count; }
    ~Scope() { --count; }
    int& count;
  };

  Value call_now(ir::OpId id, BackendId backend, const Arguments& arguments, BitGenerator* generator);
  Value record_index(const Value& key);
  void compute(const LazyArray& array);
  void compute_folded(std::span<const ir::NodeId> order, std::vector<ir::NodeId> roots);
  Value finished(Value result);
  // `write` records what is written to the array; where that fails, the array is again what it was.
  void written(const Value& array, const std::function<void()>& write);
  void adopt(ArrayObject& object);
  void write_back();
  void hand_out(ArrayObject& object);
  void choose_passes();

  Runtime& runtime_;
  Recorder& recorder_;
  Defer mode_;
  std::string pass_;
  Ref<SharingCache> cache_;
  int depth_ = 0;                             // of containers in containers
  std::vector<Ref<ArrayObject>> handed_out_;  // whose values somebody looked at: they may have been written eagerly
};

// Values that are asked for while this lives are asked for to be shown: no decision of the script depends on them.
class ForShow {
 public:
  explicit ForShow(Runtime& runtime) : deferral_(runtime.deferral()) {
    if (deferral_) ++deferral_->printing;
  }
  ~ForShow() {
    if (deferral_) --deferral_->printing;
  }

 private:
  Deferral* deferral_;
};

}  // namespace autoray::runtime
