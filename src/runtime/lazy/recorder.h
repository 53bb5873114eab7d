// Recording: the backend `autoray.lazy`. A call of ANY op whose operands or backend are lazy infers its results' types by the
// op's row and adds a node; nothing is computed. About 60 ns a node.
//
// Rewrites while recording are those that drop or join movements (OPS: identity transposes, reshapes and broadcasts go,
// transposes and reshapes in a row become one, moveaxis and swapaxes are transposes, split is slices); everything else is a
// pass's business.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "ir/error.h"
#include "ir/graph/graph.h"
#include "ir/passes/passes.h"
#include "runtime/lazy/lazy_array.h"
#include "runtime/lazy/sharing.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

struct UfuncOptions;

inline constexpr int kValueNeeded = 405;  // of error_codes.def

// A layout of no data: numpy's shape and strides alone, in C order.
Array layout_of(const ir::Type& type);

class PlanMemo;

class Recorder {
 public:
  explicit Recorder(Runtime& runtime);
  ~Recorder();

  ir::GraphTables& tables() { return tables_; }
  ir::Graph& graph() { return graph_; }
  PlanMemo& plans() { return *plans_; }

  // ---- recording ----
  // The op with these arguments as lazy arrays: one, or a tuple or list as the op gives. `backend`: which computes it later
  // (where no operand says otherwise). Throws numpy's errors for types and shapes that do not fit.
  Value call(ir::OpId id, BackendId backend, const Arguments& arguments, BitGenerator* generator, bool dispatched);
  Value get_item(const LazyArray& array, const Value& index);
  void set_item(LazyArray& array, const Value& index, const Value& value);
  // numpy's errors of a result that `target` cannot take.
  void check_store(ir::OpId id, LazyArray& target, const ir::Type& result, ir::Casting casting, const ir::Dims* where);
  // The strides that it has eagerly.
  ir::Dims strides(const LazyArray& array) const;
  // How `array`, a view, lies in the memory of `base`: shape, strides, and the offset in bytes. Null: eagerly it is no view of
  // it.
  struct Lies {
    Array layout;
    std::int64_t offset = 0;
  };
  std::optional<Lies> lies_in(const LazyArray& array, const LazyArray& base);
  // Whether a write into one may be seen in the other.
  bool may_share(const LazyArray& a, const LazyArray& b);
  // The newest version of what the array is a view of; and that one again in place of later writes.
  ir::NodeId base_version(const LazyArray& array);
  void restore_base(const LazyArray& array, ir::NodeId version);
  // lazy.array(x), lazy.Variable(shape, dtype).
  Ref<LazyArray> leaf(const Value& array);
  Ref<LazyArray> variable(ir::DType dtype, std::span<const std::int64_t> shape, BackendId backend);
  // An argument of a traced function: of the array's type (with this kind) and strides, without its elements.
  Ref<LazyArray> argument(const Array& layout, ir::Kind kind);
  // The same with its elements.
  Ref<LazyArray> given(const Array& array, ir::Kind kind);
  // After a trace: its draws happen when its function is called, and nothing waits for them.
  void forget_draws();
  // In a trace, random draws are recorded too.
  int tracing = 0;
  // In a trace, an operation that needs the values of lazy arrays because its result's shape depends on them (nonzero, x[mask])
  // ends a segment: this computes the nodes, the operation is called at once, and its result is a leaf of the next segment.
  // Null: the operation is an error (405).
  std::function<void(std::span<const ir::NodeId>)> end_segment;
  // The variables that such shapes depended on, since somebody cleared the list.
  std::vector<ir::NodeId> shaped_by;
  // The last recorded draw of a generator that was not computed yet: an eager draw must wait for it. kNoNode: none.
  ir::NodeId pending_draw(BitGenerator* generator) const;
  std::vector<ir::NodeId> pending_draws() const;  // of all generators

  // ---- preparing what was recorded ----
  ir::PassOptions passes;  // of every graph that is computed or made a function of

  // ---- sharing ----
  std::vector<Ref<SharingCache>> sharing;

  // Frames of the running script's call stack; 0 where none runs.
  int stack_depth() { return tables_.sources.depth(here()); }

  // ---- names ----
  // The variable that a lazy array is assigned to names its node, once.
  void name(LazyArray& array, ir::NameId variable) {
    ir::Node& node = graph_.node(array.node());
    if (!node.name && !node.hidden()) node.name = variable;
  }

  // ---- values of nodes ----
  // The array of a leaf or constant; one without data for a variable. A scalar's data are the node's own, without storage: they
  // live as long as it.
  Array array(ir::NodeId node) const;
  // The same without a copy: the leaf's own, or a scalar's made in `place`, which holds no other.
  const Array& array_in(ir::NodeId node, Array& place) const;
  // The same, with storage of its own for a scalar.
  Array owned_array(ir::NodeId node) const;
  void set_value(ir::NodeId node, Array array);
  std::size_t live_arrays() const { return live_arrays_; }
  // In a trace, what depends on none of its arguments has a value all the same: computed now. Empty where there is none.
  Value known_value(const LazyArray& array);

  Value wrap(ir::NodeId node) { return lazy_array(node); }  // takes over one count
  Runtime& runtime() { return runtime_; }

 private:
  friend class LazyArray;

  // A base that is viewed or written in place: `current` is its newest version.
  struct Cell {
    std::uint32_t references = 0;
    std::uint32_t version = 0;
    ir::NodeId current = ir::kNoNode;
  };
  struct View {
    std::uint32_t cell = 0;
    std::uint32_t version = 0;
    bool writable = true;
    Array layout;          // shape and strides that it has eagerly, without data
    ir::Attr::Tuple path;  // steps from the base
  };
  struct Stream {
    ir::NodeId state = ir::kNoNode;
    ir::NodeId last = ir::kNoNode;  // the newest draw
  };
  // The results of a call: of an op, its attributes and its inputs' types.
  struct Inferred {
    ir::OpId op = ir::OpId::Count;
    bool lone = false;  // one array, in no tuple or list
    std::uint8_t count = 0;
    ir::AttrsId attrs = 0;
    std::uint64_t in[2] = {};  // of four inputs; two a word, so that they are compared as they are read
    ir::TypesId out = 0;
    const ir::ResultNames* names = nullptr;  // a tuple's fields
    bool is(ir::OpId of, std::size_t inputs, ir::AttrsId with, std::uint64_t first, std::uint64_t second) const {
      return op == of && attrs == with && count == inputs && in[0] == first && in[1] == second;
    }
  };
  static constexpr std::size_t kMemos = 256;
  // What recording asks of an op again and again.
  struct OpForm {
    bool known = false;
    std::uint8_t arrays = 0;   // a call of so many arguments is of arrays alone and recorded as it stands; 0: there is none
    std::uint8_t leading = 0;  // arrays by position that plain numbers may follow: tensordot(a, b, 1); 0: none may
    std::uint8_t most = 0;     // arguments of such a call
    ir::AttrsId defaults = 0xffffffffu;  // attributes; counted, and interned when asked for
  };
  // The attributes of a call of arrays and then plain numbers by position: tensordot(a, b, 1), linalg.norm(x, 2).
  static constexpr std::size_t kMostNumbers = 2;
  struct NumbersMemo {
    ir::OpId op = ir::OpId::Count;
    Value numbers[kMostNumbers];  // Empty: not given
    ir::AttrsId attrs = 0;
  };
  static constexpr std::size_t kNumbersMemos = 64;

  // One recorded call: inputs are borrowed from the arguments or held here until the node counts them.
  struct Inputs {
    explicit Inputs(Recorder& r) : recorder(r) {}
    ~Inputs() {
      for (ir::NodeId id : held) recorder.graph_.release(id);
    }
    void hold(ir::NodeId id) {
      held.push_back(id);
      nodes.push_back(id);
    }
    Recorder& recorder;
    ir::SmallVector<ir::NodeId, 8> nodes;
    ir::SmallVector<ir::NodeId, 8> held;
    // How the operands lie that eagerly are not in C order, by their place among the nodes.
    std::vector<std::pair<std::size_t, const Array*>> layouts;
  };

  OpForm& form_of(ir::OpId id) {
    OpForm& form = forms_[static_cast<std::size_t>(id)];
    if (!form.known) [[unlikely]]
      prepare_form(id, form);
    return form;
  }
  void prepare_form(ir::OpId id, OpForm& form);
  // Operands in position; counts the attributes for the node.
  Value call_arrays(ir::OpId id, std::span<const Value> operands, ir::AttrsId attrs, BackendId backend, bool dispatched);
  // The arguments in any form that numpy takes.
  Value call_in_form(ir::OpId id, BackendId backend, const Arguments& given, BitGenerator* generator, bool dispatched);
  // The same for an operation that needs values; throws `error`, which said so, where it cannot be called in a trace.
  Value call_with_values(ir::OpId id, BackendId backend, const Arguments& given, const ir::Error& error);
  Value item_with_values(const LazyArray& array, const Value& index, const ir::Error& error);
  Value recorded_item(const LazyArray& array, const Value& index);
  // The arguments in the form of numpy's signature.
  Value call_canonical(const ir::Op& op, BackendId backend, const Arguments& arguments, BitGenerator* generator,
                       bool dispatched);
  void add_input(Inputs& inputs, const Value& value);
  const Array* held(ir::NodeId node) const;                 // what a leaf or constant is of; null for all others
  const Array* layout_known(const LazyArray& array) const;  // null: C order
  // Where the attributes of a call with plain numbers are kept; null for calls of another form.
  NumbersMemo* numbers_of(ir::OpId id, const Arguments& arguments);
  Inferred* memo_of(ir::OpId id, ir::AttrsId attrs, std::uint64_t first, std::uint64_t second) {
    std::uint64_t h = (static_cast<std::uint64_t>(id) << 32 | attrs) * 0x9e3779b97f4a7c15ull;
    h = (h ^ first ^ second * 0xc4ceb9fe1a85ec53ull) * 0xff51afd7ed558ccdull;
    return &memos_[(h >> 32) % kMemos];
  }
  ir::NodeId constant(Array array, ir::Kind kind);
  ir::NodeId scalar(ir::DType dtype, const void* item, ir::Kind kind);
  BackendId backend_of(const Inputs& inputs, BackendId fallback) const;
  ir::AttrsId default_attrs(ir::OpId id);
  // Stays valid until the next call.
  const Inferred& infer(ir::OpId id, const Inputs& inputs, ir::AttrsId attrs, std::span<const ir::Attr> known);
  // The node of the call: shared, rewritten or new; counted once for the caller. The count of `attrs` passes to it.
  ir::NodeId record(ir::OpId id, const Inputs& inputs, ir::AttrsId attrs, std::span<const ir::Attr> known, BackendId backend,
                    bool dispatched);
  Value results(ir::OpId id, ir::NodeId node);
  // The same for a call: its result lies in memory as it does eagerly.
  Value results(const ir::Op& op, ir::NodeId node, const Inputs& inputs);
  void add_sequence(const ir::Op& op, const Value& value, Inputs& inputs);
  ir::Attr attribute(const ir::Op& op, std::string_view name, const Value& value);
  void cast_inputs(const ir::Op& op, Inputs& inputs, std::span<const ir::Attr> attrs, const UfuncOptions& options,
                   BackendId backend);
  Value choose(const Value& mask, const Value& yes, const Value& no);
  Value host_call(ir::OpId id, const Arguments& arguments);
  // Of lazy arrays: recorded as the calls that they consist of.
  Value meshgrid(const Arguments& arguments);
  Value linspace(const Arguments& arguments);
  Value part_call(ir::OpId id, std::initializer_list<Value> arguments);
  Value each_reshaped(ir::OpId id, const Inputs& inputs, std::span<const ir::Attr> attrs, std::span<const Value> given,
                      BackendId backend);
  Value part(ir::OpId id, const Value& operand, bool dispatched, BackendId backend);
  Value split(ir::OpId id, const Value& operand, std::span<const ir::Attr> attrs);
  ir::NodeId shared_array(const Array& array, ir::NodeKind kind);
  void add_state(Inputs& inputs, BitGenerator* generator);
  void advance(BitGenerator* generator, ir::NodeId draw);
  Value movement(ir::OpId id, const Value& operand, std::span<const ir::Attr> attrs, bool dispatched, BackendId backend);
  Value in_order(ir::OpId id, const Ref<LazyArray>& operand, std::vector<ir::Attr>& attrs, bool dispatched, BackendId backend);
  bool contains_lazy(const Value& value, int depth = 0) const;
  Value stacked(const Value& sequence);
  ir::Attr::Tuple index_of(const Value& index, Inputs& operands);
  ir::SourceId here() { return runtime_.current_source ? runtime_.current_source(runtime_.source_context) : ir::kNoSource; }

  Ref<LazyArray> lazy_array(ir::NodeId node);
  View& view_of(const LazyArray& array);
  std::uint32_t new_view(View view);  // 1 + its place
  // The result shares the source's memory eagerly: it becomes a view of it.
  void track_view(ir::OpId id, LazyArray& result, const LazyArray& source, const std::vector<ir::Attr>& attrs, bool dropped);
  Ref<LazyArray> leaf_or_constant(const Value& operand);
  void become_view(LazyArray& result, const LazyArray& of, ir::Attr step, Array layout, bool writable);
  ir::NodeId replay(const View& view);
  void drop_view(std::uint32_t view);

  Runtime& runtime_;
  ir::GraphTables tables_;
  ir::Graph graph_;
  LazyPool arrays_;
  std::vector<OpForm> forms_;  // by op
  std::vector<Inferred> memos_;
  Inferred unkept_;    // of a call with more inputs than a memo has
  bool lone_ = false;  // of the call inferred last, with its names
  const ir::ResultNames* names_ = nullptr;
  std::vector<NumbersMemo> numbers_;
  std::vector<ir::NodeId> scalars_;               // the newest ones by their hash, counted; kNoNode: none
  ir::TypesId scalar_types_[ir::kDTypeCount][3];  // by dtype and kind
  std::vector<Cell> cells_;
  std::vector<std::uint32_t> free_cells_;
  std::deque<View> views_;
  std::vector<std::uint32_t> free_views_;
  std::unordered_map<BitGenerator*, Stream> streams_;
  std::size_t live_arrays_ = 0;
  std::unique_ptr<PlanMemo> plans_;
};

}  // namespace autoray::runtime
