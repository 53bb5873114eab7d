#include "codegen/builder.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "codegen/groups.h"
#include "codegen/layout.h"
#include "ir/error.h"
#include "ir/rules/movement.h"

namespace autoray::codegen {

using ir::Dims;
using ir::DType;
using ir::Index;
using ir::kNoIndex;
using ir::NodeKind;
using ir::OpId;

namespace {

// A kernel is compiled for its very extents where rows are short and the same kernel has few different ones.
constexpr std::int64_t kShortRow = 512;
constexpr std::size_t kSpecialisations = 4;

using RootId = std::uint32_t;
constexpr RootId kNoRoot = 0xffffffffu;

// Memory that a node makes.
struct Root {
  std::int64_t bytes = 0;
  Home home = Home::Arena;
  std::uint32_t number = 0;
  std::int64_t offset = 0;
  // Of an argument: the bytes before and after its first element (checking mode).
  std::int64_t before = 0;
  Index first = kNoIndex, last = 0;  // groups
};

// Where a node's elements are: in a root's memory.
struct Where {
  RootId root = kNoRoot;
  Layout layout;
};

// A load or store of a nest: memory walked by the nest's dimensions.
struct Walk {
  RootId root;
  std::int64_t offset;
  DType dtype;
  Dims strides;
};

struct NestDraft {
  Nest nest;
  Dims extents;
  std::size_t kept = 0;  // dimensions before the folded ones
  std::vector<Walk> loads, stores;
};

struct KernelDraft {
  std::vector<NestDraft> nests;
  std::vector<DType> registers;
};

class Builder {
 public:
  Builder(runtime::Runtime& runtime, Jit& jit, const ir::Block& block, std::span<const ArgumentInfo> arguments)
      : runtime_(runtime), jit_(jit), block_(block), arguments_(arguments), roles_(runtime, block, arguments) {}

  std::shared_ptr<Program> build() {
    program_ = std::make_shared<Program>();
    program_->argument_count = static_cast<std::uint32_t>(block_.arguments.size());
    program_->checks_bounds = jit_.checks_bounds();
    users();
    layouts();
    groups_ = make_groups(block_, roles_, root_node_, in_place_, joined_);
    decide_stores();
    for (Index g = 0; g < groups_.list.size(); ++g) {
      group_ = g;
      if (groups_.list[g].call)
        call(groups_.list[g].nodes[0]);
      else
        kernel(groups_.list[g]);
    }
    pack();
    finish();
    return program_;
  }

 private:
  // ---- who makes memory, who uses it last ----

  std::int64_t itemsize(DType dtype) const { return static_cast<std::int64_t>(ir::itemsize(dtype)); }
  std::int64_t count(Index i) const { return ir::element_count(block_.type(i).shape); }
  bool is_view(Index i) { return roles_[i].role == Role::View; }

  void users() {
    auto n = static_cast<Index>(block_.nodes.size());
    result_.assign(n, false);
    for (Index r : block_.results) result_[r] = true;
  }

  RootId new_root(std::int64_t bytes, Home home = Home::Arena, std::uint32_t number = 0) {
    Root root;
    root.bytes = std::max<std::int64_t>(bytes, 1);
    root.home = home;
    root.number = number;
    roots_.push_back(root);
    return static_cast<RootId>(roots_.size() - 1);
  }

  // Every node's place relative to the memory that it lies in.
  void layouts() {
    auto n = static_cast<Index>(block_.nodes.size());
    where_.resize(n);
    root_node_.resize(n);
    in_place_.assign(n, false);
    has_views_.assign(n, false);
    joined_.assign(n, false);
    for (Index i = 0; i < n; ++i) {
      root_node_[i] = i;
      const ir::BlockNode& node = block_.nodes[i];
      const ir::Type& type = block_.type(i);
      if (roles_[i].role == Role::Argument) {
        where_[i] = {new_root(type_bytes(type), Home::Argument, node.number), contiguous_layout(type)};
        const ArgumentInfo& info = arguments_[node.number];
        if (info.strides.size() == type.shape.size()) where_[i].layout.strides = info.strides;
        Root& root = roots_.back();
        root.before = 0;
        std::int64_t after = itemsize(type.dtype);
        for (std::size_t k = 0; k < type.shape.size(); ++k) {
          std::int64_t reach = (type.shape[k] - 1) * where_[i].layout.strides[k];
          (reach < 0 ? root.before : after) += std::abs(reach);
        }
        root.bytes = after;
        continue;
      }
      if (!is_view(i)) {
        if (block_.types(i).size() == 1) where_[i].layout = made_layout(i);
        continue;
      }
      Index x = block_.inputs(i)[0];
      // The layout is relative to a root whose place is found below; only shape and strides decide whether this is a view.
      auto view = viewed(runtime_, node.op, roles_.attrs(i), where_[x].layout, type.dtype, type);
      if (!view) {
        // A movement that copies: of a contiguous operand in the order of its elements it would be a view, so it is a copy of a
        // strided one.
        bool in_order = node.op == OpId::Reshape || node.op == OpId::Ravel;
        roles_.become_call(i, in_order ? "a reshape that copies" : "a movement that copies");
        where_[i].layout = contiguous_layout(type);
        continue;
      }
      where_[i].layout = std::move(*view);
      root_node_[i] = root_node_[x];
      has_views_[root_node_[i]] = true;
    }
    last_uses();
    placements();
    // Now the roots: what is made gets memory, results an array of their own.
    std::vector<bool> is_result_root(n, false);
    for (Index r : block_.results) is_result_root[root_node_[r]] = true;
    // What is updated in place is the result's memory from its beginning.
    for (Index i = n; i-- > 0;)
      if (in_place_[i] && is_result_root[i]) is_result_root[block_.inputs(i)[0]] = true;
    for (Index i = 0; i < n; ++i) {
      switch (roles_[i].role) {
        case Role::Argument: break;
        case Role::View: {
          Index x = block_.inputs(i)[0];
          Where& w = where_[i];
          w.root = where_[x].root;
          // A view of a view: its layout was computed from one without a place in its root.
          auto view =
              viewed(runtime_, block_.nodes[i].op, roles_.attrs(i), where_[x].layout, block_.type(i).dtype, block_.type(i));
          if (view) w.layout = std::move(*view);
          break;
        }
        case Role::Project: {
          Index of = block_.inputs(i)[0];
          where_[i] = {first_dynamic_root_.at(of) + block_.nodes[i].number, contiguous_layout(block_.type(i))};
          break;
        }
        case Role::Call: {
          RootId first = static_cast<RootId>(roots_.size());
          first_dynamic_root_[i] = first;
          for (const ir::Type& type : block_.types(i)) new_root(type_bytes(type), Home::Dynamic, program_->dynamic_count++);
          where_[i] = {first, contiguous_layout(block_.type(i))};
          break;
        }
        default: {
          if (in_place_[i]) {
            where_[i] = where_[block_.inputs(i)[0]];
            break;
          }
          if (auto joined = placed_.find(i); joined != placed_.end()) {
            // Its memory is part of a join's, whose root is made with its first operand.
            const auto& [join, operand] = joined->second;
            if (where_[join].root == kNoRoot) make_root(join, is_result_root[join]);
            where_[i] = part_of_join(join, operand);
            break;
          }
          if (where_[i].root == kNoRoot) make_root(i, is_result_root[i]);
        }
      }
    }
  }
  std::int64_t type_bytes(const ir::Type& type) const { return ir::element_count(type.shape) * itemsize(type.dtype); }
  void make_root(Index i, bool result) {
    RootId root = new_root(type_bytes(block_.type(i)));
    if (result) {
      roots_[root].home = Home::Output;
      roots_[root].number = static_cast<std::uint32_t>(program_->output_bytes.size());
      program_->output_bytes.push_back(roots_[root].bytes);
    }
    where_[i] = {root, made_layout(i)};
  }
  // Element-wise results keep a Fortran order that all operands have, and new versions their base's, as eagerly.
  Layout made_layout(Index i) {
    const ir::Type& type = block_.type(i);
    Role role = roles_[i].role;
    if (type.shape.size() < 2 || (role != Role::Pointwise && role != Role::Update)) return contiguous_layout(type);
    bool any = false;
    std::size_t count = role == Role::Update ? 1 : roles_[i].operands;
    for (std::size_t k = 0; k < count; ++k) {
      Index x = block_.inputs(i)[k];
      if (x == kNoIndex || block_.type(x).shape.empty()) continue;
      const Layout& layout = where_[x].layout;
      if (!(layout.shape == type.shape) || !fortran_order(layout, block_.type(x).dtype)) return contiguous_layout(type);
      any = true;
    }
    Layout layout = contiguous_layout(type);
    if (!any) return layout;
    std::int64_t step = itemsize(type.dtype);
    for (std::size_t k = 0; k < type.shape.size(); ++k) {
      layout.strides[k] = step;
      step *= type.shape[k];
    }
    return layout;
  }
  // Dense with the first axis fastest, and not dense in C's order.
  static bool fortran_order(const Layout& layout, DType dtype) {
    runtime::Array array;
    array.dtype = dtype;
    array.shape = layout.shape;
    array.strides = layout.strides;
    return array.f_contiguous() && !array.c_contiguous();
  }

  void last_uses() {
    last_use_.assign(block_.nodes.size(), 0);
    for (Index i = 0; i < block_.nodes.size(); ++i) {
      if (is_view(i)) continue;
      for (Index input : block_.inputs(i))
        if (input != kNoIndex) last_use_[root_node_[input]] = i;
    }
    for (Index r : block_.results) last_use_[root_node_[r]] = kNoIndex;
  }

  // Updates in place, and operands that are made inside the result of their stack or concatenate.
  void placements() {
    for (Index i = 0; i < block_.nodes.size(); ++i) {
      if (roles_[i].role == Role::Update) {
        Index base = block_.inputs(i)[0], value = block_.inputs(i)[1];
        bool own = root_node_[base] == base && roles_[base].role != Role::Argument && roles_[base].role != Role::Project;
        own = own && !(roles_[base].role == Role::Call && block_.types(base).size() != 1);
        if (own && last_use_[base] == i && !result_[base] && root_node_[value] != base && !placed_.count(base) &&
            !placed_.count(chain_start(base)))
          in_place_[i] = true;
      }
      if (roles_[i].role != Role::Join) continue;
      DType dtype = block_.type(i).dtype;
      auto inputs = block_.inputs(i);
      for (std::size_t k = 0; k < inputs.size(); ++k) {
        Index x = inputs[k];
        Role role = roles_[x].role;
        bool made = role == Role::Pointwise || role == Role::Fold || role == Role::Product;
        if (!made || block_.type(x).dtype != dtype || result_[x] || placed_.count(x) || count(x) == 0) continue;
        // A view of it may be a result, which may not look into the join's memory; a reshape of it must stay possible.
        if (last_use_[x] == kNoIndex || has_views_[x]) continue;
        placed_[x] = {i, k};
        joined_[x] = true;
      }
      // Placed twice in one join: the second time it is copied.
      std::vector<Index> seen;
      for (std::size_t k = 0; k < inputs.size(); ++k)
        if (joined_[inputs[k]] && placed_[inputs[k]] != std::pair<Index, std::size_t>{i, k}) twice_.push_back({i, k});
    }
    for (auto& [join, operand] : twice_) {
      Index x = block_.inputs(join)[operand];
      joined_[x] = false;
      placed_.erase(x);
    }
  }
  Index chain_start(Index i) {
    while (in_place_[i]) i = block_.inputs(i)[0];
    return i;
  }
  Where part_of_join(Index join, std::size_t operand) {
    const NodeRole& role = roles_[join];
    const Where& whole = where_[join];
    Where part{whole.root, {}};
    Index x = block_.inputs(join)[operand];
    auto axis = static_cast<std::size_t>(role.axis);
    part.layout.offset = whole.layout.offset + role.offsets[operand] * whole.layout.strides[axis];
    part.layout.shape = block_.type(x).shape;
    part.layout.strides = whole.layout.strides;
    if (block_.nodes[join].op == OpId::Stack) part.layout.strides.erase(axis);
    return part;
  }

  // ---- what is stored ----

  void decide_stores() {
    auto n = static_cast<Index>(block_.nodes.size());
    stored_.assign(n, false);
    register_.assign(n, -1);
    emitted_.assign(n, false);
    std::vector<std::uint8_t> folds_it(n, 0), uses(n, 0);
    auto group = [&](Index i) { return groups_.of[i]; };
    for (Index r : block_.results) stored_[root_node_[r]] = true;
    for (Index i = 0; i < n; ++i) {
      if (joined_[i]) stored_[i] = true;
      Role role = roles_[i].role;
      if (role == Role::View) {
        stored_[root_node_[i]] = true;
        continue;
      }
      for (Index x : block_.inputs(i)) {
        if (x == kNoIndex) continue;
        if (uses[x] < 255) ++uses[x];
        if (role == Role::Fold) ++folds_it[x];
        bool inside = group(x) != kNoIndex && group(x) == group(i);
        bool looked_at = role == Role::Product || role == Role::Join || role == Role::Update || role == Role::Call;
        if (!inside || looked_at) stored_[x] = true;
        // Over another shape it would be computed again and again.
        if (inside && role == Role::Pointwise && count(x) != 1 && !(block_.type(x).shape == block_.type(i).shape))
          stored_[x] = true;
        if (inside && role == Role::Fold && roles_[x].role != Role::Pointwise) stored_[x] = true;
      }
    }
    for (Index i = 0; i < n; ++i) {
      if (roles_[i].role != Role::Pointwise && count(i) != 1) stored_[i] = true;
      if (roles_[i].expensive && folds_it[i] && uses[i] > 1) stored_[i] = true;
    }
  }

  // ---- kernels ----

  bool inside(Index x) const { return groups_.of[x] == group_; }
  bool inlined(Index x) { return inside(x) && roles_[x].role == Role::Pointwise && !emitted_[x]; }
  bool single(Index x) const { return count(x) == 1; }

  void kernel(const Group& group) {
    draft_ = KernelDraft();
    open_.clear();
    for (Index i : group.nodes) {
      switch (roles_[i].role) {
        case Role::Pointwise: visit_pointwise(i); break;
        case Role::Fold:
          flush();
          fold(i);
          break;
        case Role::Product:
          flush();
          product(i);
          break;
        case Role::Join:
          flush();
          join(i);
          break;
        case Role::Update:
          flush();
          update(i);
          break;
        default: break;
      }
    }
    flush();
    kernels_.emplace_back(static_cast<std::size_t>(steps_.size()), std::move(draft_));
    steps_.push_back({false, kNoIndex});
  }
  void visit_pointwise(Index i) {
    // What an open nest stores can be read only after it.
    for (Index x : block_.inputs(i)) {
      if (x == kNoIndex) continue;
      bool elsewhere = is_view(x) || !(block_.type(x).shape == block_.type(i).shape);
      if (elsewhere && std::find(open_.begin(), open_.end(), root_node_[x]) != open_.end()) flush();
    }
    if (!stored_[i]) return;
    if (single(i)) {
      scalars({i});
      return;
    }
    if (!open_.empty() && !(block_.type(open_[0]).shape == block_.type(i).shape)) flush();
    open_.push_back(i);
  }
  void flush() {
    if (open_.empty()) return;
    std::vector<Index> targets = std::move(open_);
    open_.clear();
    map(targets, block_.type(targets[0]).shape);
    for (Index t : targets) emitted_[t] = true;
  }

  // The element-wise nodes inside this kernel that the targets need over the same shape, ascending; scalars that they need
  // first.
  std::vector<Index> closure(std::span<const Index> targets, std::vector<Index>& scalars_needed, bool of_scalars) {
    std::vector<Index> list, stack(targets.begin(), targets.end());
    while (!stack.empty()) {
      Index i = stack.back();
      stack.pop_back();
      if (seen_.size() < block_.nodes.size()) seen_.resize(block_.nodes.size(), 0);
      if (seen_[i] == stamp_) continue;
      seen_[i] = stamp_;
      list.push_back(i);
      auto inputs = block_.inputs(i);
      for (std::size_t k = 0; k < roles_[i].operands; ++k) {
        Index x = inputs[k];
        if (x == kNoIndex || !inlined(x) || register_[x] >= 0) continue;
        if (single(x) && !of_scalars)
          scalars_needed.push_back(x);
        else
          stack.push_back(x);
      }
    }
    std::sort(list.begin(), list.end());
    return list;
  }

  // A nest under construction, with what was loaded already.
  struct Emission {
    NestDraft draft;
    std::unordered_map<Index, ValueId> values;
    Dims shape;  // of the points
  };

  void begin(Emission& e, const Dims& shape) {
    e.shape = shape;
    e.draft.extents = shape;
    e.draft.kept = shape.size();
  }
  ValueId load(Emission& e, Index x) {
    if (auto found = e.values.find(x); found != e.values.end()) return found->second;
    Body body(e.draft.nest);
    ValueId v;
    DType dtype = block_.type(x).dtype;
    if (register_[x] >= 0 && inside(x)) {
      v = body.emit(Prim::Register, dtype, kNoValue, kNoValue, kNoValue, register_[x]);
    } else {
      const Where& w = where_[x];
      v = load_walk(e, {w.root, w.layout.offset, dtype, broadcast_strides(w.layout.shape, w.layout.strides, e.shape)});
    }
    return e.values[x] = v;
  }
  ValueId load_walk(Emission& e, Walk walk) {
    Body body(e.draft.nest);
    e.draft.loads.push_back(std::move(walk));
    return body.emit(Prim::Load, e.draft.loads.back().dtype, kNoValue, kNoValue, kNoValue,
                     static_cast<std::int64_t>(e.draft.loads.size() - 1));
  }
  ValueId evaluate(Emission& e, Index i) {
    const NodeRole& role = roles_[i];
    Body body(e.draft.nest);
    ValueId operands[3] = {kNoValue, kNoValue, kNoValue};
    auto inputs = block_.inputs(i);
    for (std::size_t k = 0; k < role.operands; ++k) {
      if (inputs[k] == kNoIndex) continue;
      ValueId v = load(e, inputs[k]);
      bool condition = block_.nodes[i].op == OpId::Where && k == 0;
      operands[k] = body.cast(v, condition ? DType::Bool : role.compute);
    }
    ValueId v = role.lowering(body, role.compute, std::span(operands, role.operands));
    return e.values[i] = body.cast(v, block_.type(i).dtype);
  }
  Walk walk_of(Index i) const {
    const Where& w = where_[i];
    return {w.root, w.layout.offset, block_.type(i).dtype, w.layout.strides};
  }

  void map(std::span<const Index> targets, const Dims& shape) {
    ++stamp_;
    std::vector<Index> needed;
    std::vector<Index> list = closure(targets, needed, false);
    scalars(needed);
    Emission e;
    begin(e, shape);
    for (Index i : list) evaluate(e, i);
    for (Index t : targets) {
      e.draft.nest.stores.push_back({e.values[t], {}});
      e.draft.stores.push_back(walk_of(t));
    }
    add(std::move(e.draft));
  }
  // Values of single elements: into registers, and stored where somebody else needs them.
  void scalars(std::vector<Index> targets) {
    std::erase_if(targets, [&](Index t) { return register_[t] >= 0; });
    if (targets.empty()) return;
    ++stamp_;
    std::vector<Index> none;
    std::vector<Index> list = closure(targets, none, true);
    Emission e;
    begin(e, {});
    for (Index i : list) {
      ValueId v = evaluate_single(e, i);
      give_register(e.draft, i, v);
      if (stored_[i]) store_single(e.draft, i, v);
    }
    add(std::move(e.draft));
    for (Index i : list) emitted_[i] = true;
  }
  ValueId evaluate_single(Emission& e, Index i) {
    // Every operand has one element: all strides are gone.
    return evaluate(e, i);
  }
  void give_register(NestDraft& draft, Index i, ValueId v) {
    register_[i] = static_cast<int>(draft_.registers.size());
    draft_.registers.push_back(block_.type(i).dtype);
    draft.nest.registers.emplace_back(v, static_cast<std::uint16_t>(register_[i]));
  }
  void store_single(NestDraft& draft, Index i, ValueId v) {
    draft.nest.stores.push_back({v, {}});
    draft.stores.push_back({where_[i].root, where_[i].layout.offset, block_.type(i).dtype, Dims(draft.extents.size(), 0)});
  }

  // The operand's value over its own shape: computed where it is one of this kernel's, else loaded.
  ValueId operand_value(Emission& e, Index x) {
    if (!inlined(x) || single(x)) return load(e, x);
    ++stamp_;
    std::vector<Index> none;
    const Index targets[] = {x};
    for (Index i : closure(targets, none, false)) evaluate(e, i);
    return e.values[x];
  }
  void scalars_for(Index x) {
    if (!inlined(x)) return;
    if (single(x)) return scalars({x});
    ++stamp_;
    std::vector<Index> needed;
    const Index targets[] = {x};
    closure(targets, needed, false);
    scalars(needed);
  }

  void fold(Index i) {
    const NodeRole& role = roles_[i];
    Index x = block_.inputs(i)[0];
    scalars_for(x);
    Emission e;
    const Dims shape = block_.type(x).shape;
    begin(e, shape);
    ValueId v = operand_value(e, x);
    Body body(e.draft.nest);
    if (role.before == NodeRole::Before::Truth) v = body.cast(v, DType::Bool);
    v = body.cast(v, role.accumulate);
    if (role.before == NodeRole::Before::Square) v = body.emit(Prim::Multiply, role.accumulate, v, v);
    e.draft.nest.folds = true;
    e.draft.nest.fold = role.fold;
    e.draft.nest.order = role.order;
    e.draft.nest.folded = v;
    // Kept dimensions first, in order; the folded ones behind.
    Dims order;
    std::int64_t n = 1;
    for (int pass = 0; pass < 2; ++pass)
      for (int axis = 0; axis < shape.ssize(); ++axis) {
        bool folded = std::find(role.axes.begin(), role.axes.end(), axis) != role.axes.end();
        if (folded == (pass == 1)) order.push_back(axis);
        if (folded && pass == 1) n *= shape[static_cast<std::size_t>(axis)];
      }
    e.draft.kept = order.size() - role.axes.size();
    // The norm of everything walks memory, as the eager kernel does.
    if (role.after == NodeRole::After::Sqrt && e.draft.kept == 0 && fortran_order(where_[x].layout, block_.type(x).dtype))
      std::reverse(order.begin(), order.end());
    permute(e.draft, order);
    if (!foldable(e.draft)) return fold_copied(i, e.draft, n);
    finish_fold(i, std::move(e.draft), n);
  }
  void permute(NestDraft& draft, const Dims& order) {
    auto by_order = [&](const Dims& d) {
      Dims r;
      for (std::int64_t axis : order) r.push_back(d[static_cast<std::size_t>(axis)]);
      return r;
    };
    draft.extents = by_order(draft.extents);
    for (Walk& w : draft.loads) w.strides = by_order(w.strides);
  }
  // Whether the folded dimensions can be walked as one.
  static bool foldable(const NestDraft& draft) {
    std::int64_t extent = 1;
    std::vector<std::int64_t> stride(draft.loads.size(), 0);
    for (std::size_t d = draft.extents.size(); d-- > draft.kept;) {
      if (draft.extents[d] == 1) continue;
      for (std::size_t k = 0; k < draft.loads.size(); ++k) {
        if (extent == 1)
          stride[k] = draft.loads[k].strides[d];
        else if (draft.loads[k].strides[d] != stride[k] * extent)
          return false;
      }
      extent *= draft.extents[d];
    }
    return true;
  }
  // The terms are written out in order first.
  void fold_copied(Index i, NestDraft& draft, std::int64_t n) {
    Nest terms = draft.nest;
    ValueId v = terms.folded;
    DType dtype = terms.body[v].dtype;
    std::int64_t total = ir::element_count(draft.extents);
    RootId root = new_root(total * itemsize(dtype));
    NestDraft copy;
    copy.nest = terms;
    copy.nest.folds = false;
    copy.nest.folded = kNoValue;
    copy.extents = draft.extents;
    copy.kept = draft.extents.size();
    copy.loads = draft.loads;
    copy.nest.stores.push_back({v, {}});
    copy.stores.push_back({root, 0, dtype, ir::contiguous_strides(draft.extents, itemsize(dtype))});
    add(std::move(copy));
    Emission e;
    begin(e, draft.extents);
    e.draft.kept = draft.kept;
    ValueId item = load_walk(e, {root, 0, dtype, ir::contiguous_strides(draft.extents, itemsize(dtype))});
    e.draft.nest.folds = true;
    e.draft.nest.fold = terms.fold;
    e.draft.nest.order = terms.order;
    e.draft.nest.folded = item;
    finish_fold(i, std::move(e.draft), n);
  }
  void finish_fold(Index i, NestDraft draft, std::int64_t n) {
    const NodeRole& role = roles_[i];
    bool alone = count(i) == 1;
    bool plain = role.after == NodeRole::After::Nothing && role.accumulate == block_.type(i).dtype;
    // The result's strides over the kept dimensions; the folded ones add nothing.
    Dims strides;
    if (!alone) {
      Dims all = kept_strides(i);
      strides = all;
    }
    strides.resize(draft.extents.size(), 0);
    if (alone) {
      auto number = static_cast<std::uint16_t>(draft_.registers.size());
      draft_.registers.push_back(role.accumulate);
      draft.nest.registers.emplace_back(kNoValue, number);
      add(std::move(draft));
      Emission e;
      begin(e, {});
      Body body(e.draft.nest);
      ValueId v = body.emit(Prim::Register, role.accumulate, kNoValue, kNoValue, kNoValue, number);
      v = after(e, i, v, n);
      give_register(e.draft, i, v);
      if (stored_[i]) store_single(e.draft, i, v);
      add(std::move(e.draft));
    } else if (plain) {
      draft.nest.stores.push_back({kNoValue, {}});
      draft.stores.push_back({where_[i].root, where_[i].layout.offset, role.accumulate, strides});
      add(std::move(draft));
    } else {
      // Sums into memory of their own, then the rest of the op on each.
      RootId root = new_root(count(i) * itemsize(role.accumulate));
      Dims shape(draft.extents.begin(), draft.extents.begin() + static_cast<std::ptrdiff_t>(draft.kept));
      Dims dense = ir::contiguous_strides(shape, itemsize(role.accumulate));
      Dims wide = dense;
      wide.resize(draft.extents.size(), 0);
      draft.nest.stores.push_back({kNoValue, {}});
      draft.stores.push_back({root, 0, role.accumulate, wide});
      add(std::move(draft));
      Emission e;
      begin(e, shape);
      ValueId v = load_walk(e, {root, 0, role.accumulate, dense});
      v = after(e, i, v, n);
      strides.resize(shape.size(), 0);
      e.draft.nest.stores.push_back({v, {}});
      e.draft.stores.push_back({where_[i].root, where_[i].layout.offset, block_.type(i).dtype, strides});
      add(std::move(e.draft));
    }
    emitted_[i] = true;
  }
  // The strides of a fold's result by the operand's kept axes: keepdims leaves axes of extent 1 between them.
  Dims kept_strides(Index i) {
    const NodeRole& role = roles_[i];
    const Where& w = where_[i];
    int rank = block_.type(block_.inputs(i)[0]).shape.ssize();
    bool keepdims = w.layout.shape.ssize() == rank;
    Dims strides;
    std::size_t next = 0;
    for (int axis = 0; axis < rank; ++axis) {
      bool folded = std::find(role.axes.begin(), role.axes.end(), axis) != role.axes.end();
      if (!folded) strides.push_back(w.layout.strides[keepdims ? static_cast<std::size_t>(axis) : next]);
      if (!folded || keepdims) ++next;
    }
    return strides;
  }
  ValueId after(Emission& e, Index i, ValueId v, std::int64_t n) {
    const NodeRole& role = roles_[i];
    Body body(e.draft.nest);
    if (role.after == NodeRole::After::Sqrt) v = body.emit(Prim::Sqrt, role.accumulate, v);
    if (role.after == NodeRole::After::Mean) {
      // The number of terms is data of the program: kernels of all lengths are one.
      ValueId divisor =
          load_walk(e, {constant_root(role.accumulate, static_cast<double>(n)), 0, role.accumulate, Dims(e.shape.size(), 0)});
      v = body.emit(Prim::Divide, role.accumulate, v, divisor);
    }
    return body.cast(v, block_.type(i).dtype);
  }
  RootId constant_root(DType dtype, double value) {
    auto key = std::pair{dtype, value};
    if (auto found = constants_.find(key); found != constants_.end()) return found->second;
    RootId root = new_root(itemsize(dtype), Home::Constants);
    roots_[root].offset = static_cast<std::int64_t>(program_->constants.size());
    char bytes[8] = {};
    if (dtype == DType::Float32) {
      auto single_precision = static_cast<float>(value);
      std::memcpy(bytes, &single_precision, 4);
    } else {
      std::memcpy(bytes, &value, 8);
    }
    program_->constants.insert(program_->constants.end(), bytes, bytes + 8);
    return constants_[key] = root;
  }

  void product(Index i) {
    const NodeRole& role = roles_[i];
    auto inputs = block_.inputs(i);
    Index a = inputs[0], b = inputs[1];
    Emission e;
    Dims shape;
    auto extent = [&](Index x, std::int64_t axis) { return block_.type(x).shape[static_cast<std::size_t>(axis)]; };
    for (std::int64_t axis : role.batch_a) shape.push_back(extent(a, axis));
    for (std::int64_t axis : role.free_a) shape.push_back(extent(a, axis));
    for (std::int64_t axis : role.free_b) shape.push_back(extent(b, axis));
    std::size_t kept = shape.size();
    for (std::int64_t axis : role.summed_a) shape.push_back(extent(a, axis));
    begin(e, shape);
    e.draft.kept = kept;
    auto strides = [&](Index x, const Dims& batch, const Dims& free, std::size_t free_at, const Dims& summed) {
      const Layout& layout = where_[x].layout;
      auto stride = [&](std::int64_t axis) { return layout.strides[static_cast<std::size_t>(axis)]; };
      Dims s(shape.size(), 0);
      for (std::size_t k = 0; k < batch.size(); ++k) s[k] = stride(batch[k]);
      for (std::size_t k = 0; k < free.size(); ++k) s[free_at + k] = stride(free[k]);
      for (std::size_t k = 0; k < summed.size(); ++k) s[kept + k] = stride(summed[k]);
      return s;
    };
    Body body(e.draft.nest);
    std::size_t batch = role.batch_a.size();
    Dims sa = strides(a, role.batch_a, role.free_a, batch, role.summed_a);
    Dims sb = strides(b, role.batch_b, role.free_b, batch + role.free_a.size(), role.summed_b);
    ValueId x = load_walk(e, {where_[a].root, where_[a].layout.offset, block_.type(a).dtype, sa});
    ValueId y = load_walk(e, {where_[b].root, where_[b].layout.offset, block_.type(b).dtype, sb});
    x = body.cast(x, role.accumulate);
    y = body.cast(y, role.accumulate);
    ValueId v = body.emit(Prim::Multiply, role.accumulate, x, y);
    e.draft.nest.folds = true;
    e.draft.nest.fold = role.fold;
    e.draft.nest.order = role.order;
    e.draft.nest.folded = v;
    std::int64_t n = 1;
    for (std::size_t k = kept; k < shape.size(); ++k) n *= shape[k];
    if (count(i) == 1) {
      if (!foldable(e.draft)) return fold_copied(i, e.draft, n);
      return finish_fold(i, std::move(e.draft), n);
    }
    Dims out = where_[i].layout.strides;
    out.resize(shape.size(), 0);
    auto finish = [&](NestDraft draft) {
      draft.nest.stores.push_back({kNoValue, {}});
      draft.stores.push_back({where_[i].root, where_[i].layout.offset, role.accumulate, out});
      add(std::move(draft));
      emitted_[i] = true;
    };
    if (foldable(e.draft)) return finish(std::move(e.draft));
    // Both factors as matrices, copied where their summed axes lie apart.
    for (Walk& w : e.draft.loads) {
      NestDraft one;
      one.extents = shape;
      one.kept = kept;
      one.loads = {w};
      if (foldable(one)) continue;
      Dims own;
      for (std::size_t k = 0; k < shape.size(); ++k) own.push_back(w.strides[k] == 0 ? 1 : shape[k]);
      RootId copy = new_root(ir::element_count(own) * itemsize(w.dtype));
      Emission c;
      begin(c, own);
      ValueId item = load_walk(c, {w.root, w.offset, w.dtype, w.strides});
      c.draft.nest.stores.push_back({item, {}});
      Dims dense = ir::contiguous_strides(own, itemsize(w.dtype));
      c.draft.stores.push_back({copy, 0, w.dtype, dense});
      add(std::move(c.draft));
      for (std::size_t k = 0; k < shape.size(); ++k) w.strides[k] = own[k] == 1 ? 0 : dense[k];
      w.root = copy;
      w.offset = 0;
    }
    if (!foldable(e.draft)) throw ir::Error(ir::ErrorClass::SystemError, "code generation: a product's axes cannot be joined");
    finish(std::move(e.draft));
  }

  // target = x over its own shape.
  void copy(Index x, const Walk& target, const Dims& shape, DType dtype) {
    Emission e;
    begin(e, shape);
    const Where& w = where_[x];
    ValueId v;
    if (register_[x] >= 0 && inside(x))
      v = load(e, x);
    else
      v = load_walk(
          e, {w.root, w.layout.offset, block_.type(x).dtype, broadcast_strides(w.layout.shape, w.layout.strides, shape)});
    Body body(e.draft.nest);
    v = body.cast(v, dtype);
    e.draft.nest.stores.push_back({v, {}});
    e.draft.stores.push_back(target);
    add(std::move(e.draft));
  }
  void join(Index i) {
    auto inputs = block_.inputs(i);
    DType dtype = block_.type(i).dtype;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      if (joined_[inputs[k]] && placed_[inputs[k]] == std::pair<Index, std::size_t>{i, k}) continue;
      if (count(inputs[k]) == 0) continue;
      Where part = part_of_join(i, k);
      copy(inputs[k], {part.root, part.layout.offset, dtype, part.layout.strides}, part.layout.shape, dtype);
    }
    emitted_[i] = true;
  }
  void update(Index i) {
    Index base = block_.inputs(i)[0], value = block_.inputs(i)[1];
    const ir::Type& type = block_.type(i);
    if (!in_place_[i]) copy(base, walk_of(i), type.shape, type.dtype);
    auto place = viewed_along(runtime_, roles_.attrs(i)[0], where_[i].layout, type.dtype);
    // numpy drops leading axes of extent 1 that the place does not have.
    const Where& w = where_[value];
    Dims shape = w.layout.shape, strides = w.layout.strides;
    while (shape.size() > place->shape.size()) {
      shape.erase(0);
      strides.erase(0);
    }
    Emission e;
    begin(e, place->shape);
    ValueId v = register_[value] >= 0 && inside(value) ? load(e, value)
                                                       : load_walk(e, {w.root, w.layout.offset, block_.type(value).dtype,
                                                                       broadcast_strides(shape, strides, place->shape)});
    Body body(e.draft.nest);
    v = body.cast(v, type.dtype);
    e.draft.nest.stores.push_back({v, {}});
    e.draft.stores.push_back({where_[i].root, place->offset, type.dtype, place->strides});
    add(std::move(e.draft));
    emitted_[i] = true;
  }

  void add(NestDraft draft) {
    for (const Walk& w : draft.loads) touch(w.root);
    for (const Walk& w : draft.stores) touch(w.root);
    simplify(draft);
    draft_.nests.push_back(std::move(draft));
  }
  void touch(RootId root) {
    roots_[root].first = std::min(roots_[root].first, group_);
    roots_[root].last = std::max(roots_[root].last, group_);
  }

  // Dimensions of one point go; neighbours that every access walks as one become one. A fold keeps one folded dimension.
  static void simplify(NestDraft& draft) {
    std::vector<Walk*> walks;
    for (Walk& w : draft.loads) walks.push_back(&w);
    for (Walk& w : draft.stores) walks.push_back(&w);
    Dims extents;
    std::vector<Dims> strides(walks.size());
    std::size_t kept = 0;
    std::int64_t folded = 1;
    bool last_kept = true;
    for (std::size_t d = 0; d < draft.extents.size(); ++d) {
      bool in_kept = d < draft.kept;
      if (draft.nest.folds && !in_kept) folded *= draft.extents[d];
      if (draft.extents[d] == 1) continue;
      bool joins = !extents.empty() && in_kept == last_kept;
      for (std::size_t k = 0; joins && k < walks.size(); ++k)
        joins = strides[k].back() == walks[k]->strides[d] * draft.extents[d];
      if (joins) {
        extents.back() *= draft.extents[d];
        for (std::size_t k = 0; k < walks.size(); ++k) strides[k].back() = walks[k]->strides[d];
      } else {
        extents.push_back(draft.extents[d]);
        for (std::size_t k = 0; k < walks.size(); ++k) strides[k].push_back(walks[k]->strides[d]);
        kept += in_kept;
      }
      last_kept = in_kept;
    }
    if (draft.nest.folds && folded == 1) {
      extents.push_back(1);
      for (Dims& s : strides) s.push_back(0);
    }
    draft.kept = kept;
    draft.extents = extents;
    for (std::size_t k = 0; k < walks.size(); ++k) walks[k]->strides = strides[k];
    order_dimensions(draft);
  }
  // The dimension that most accesses follow densely becomes the innermost of a map.
  static void order_dimensions(NestDraft& draft) {
    if (draft.nest.folds || draft.extents.size() < 2) return;
    std::size_t best = draft.extents.size() - 1;
    int most = -1;
    for (std::size_t d = draft.extents.size(); d-- > 0;) {
      int dense = 0;
      auto look = [&](const Walk& w, int weight) {
        if (w.strides[d] == static_cast<std::int64_t>(ir::itemsize(w.dtype))) dense += weight;
      };
      for (const Walk& w : draft.loads) look(w, 1);
      for (const Walk& w : draft.stores) look(w, 1);
      if (dense > most) {
        most = dense;
        best = d;
      }
    }
    std::size_t last = draft.extents.size() - 1;
    if (best == last) return;
    auto swap = [&](Dims& dims) { std::swap(dims[best], dims[last]); };
    swap(draft.extents);
    for (Walk& w : draft.loads) swap(w.strides);
    for (Walk& w : draft.stores) swap(w.strides);
  }

  // ---- calls ----

  void call(Index i) {
    const ir::BlockNode& n = block_.nodes[i];
    RuntimeCall c;
    c.op = n.op;
    c.backend = n.backend;
    c.attrs = roles_.attrs(i);
    c.reason = roles_[i].reason;
    const ir::Op& op = ir::op(n.op);
    c.random = op.has(ir::kRandom);
    auto inputs = block_.inputs(i);
    std::vector<RootId> roots;
    for (Index x : inputs) {
      Located located;
      located.present = x != kNoIndex;
      roots.push_back(located.present ? where_[x].root : kNoRoot);
      if (located.present) {
        touch(where_[x].root);
        located.place.offset = where_[x].layout.offset;
        located.type = block_.type(x);
        located.strides = where_[x].layout.strides;
      }
      c.inputs.push_back(std::move(located));
    }
    std::size_t operands = inputs.size() - (c.random ? 2 : 0), others = 0, at = 0;
    for (char letter : op.operands) others += letter == 'A' || letter == 'B' || letter == 'O';
    for (char letter : op.operands) {
      if (letter == 'S') {
        c.groups.push_back(static_cast<std::uint32_t>(operands - others));
        at += operands - others;
      } else if (letter == 'A' || letter == 'B' || letter == 'O') {
        c.groups.push_back(c.inputs[at++].present ? 1 : 0);
      }
    }
    auto types = block_.types(i);
    c.types.assign(types.begin(), types.end());
    RootId first = first_dynamic_root_.at(i);
    c.first_dynamic = roots_[first].number;
    for (std::size_t k = 0; k < types.size(); ++k) touch(first + static_cast<RootId>(k));
    steps_.push_back({true, static_cast<Index>(program_->calls.size())});
    program_->calls.push_back(std::move(c));
    call_roots_.push_back(std::move(roots));
  }

  // ---- memory ----

  void pack() {
    constexpr std::int64_t kAlign = 64;
    std::vector<std::vector<RootId>> starts(groups_.list.size()), ends(groups_.list.size());
    for (RootId r = 0; r < roots_.size(); ++r) {
      if (roots_[r].home != Home::Arena || roots_[r].first == kNoIndex) continue;
      starts[roots_[r].first].push_back(r);
      ends[roots_[r].last].push_back(r);
    }
    // Free pieces by offset; first fit, neighbours joined.
    std::map<std::int64_t, std::int64_t> free;
    std::int64_t end = 0;
    auto size = [&](RootId r) { return (roots_[r].bytes + kAlign - 1) / kAlign * kAlign; };
    for (Index g = 0; g < groups_.list.size(); ++g) {
      for (RootId r : starts[g]) {
        std::int64_t need = size(r);
        auto piece = std::find_if(free.begin(), free.end(), [&](const auto& p) { return p.second >= need; });
        if (piece == free.end()) {
          // The last piece grows where it reaches the end.
          if (!free.empty() && free.rbegin()->first + free.rbegin()->second == end) {
            roots_[r].offset = free.rbegin()->first;
            end = roots_[r].offset + need;
            free.erase(std::prev(free.end()));
          } else {
            roots_[r].offset = end;
            end += need;
          }
        } else {
          roots_[r].offset = piece->first;
          std::int64_t rest = piece->second - need, at = piece->first + need;
          free.erase(piece);
          if (rest) free[at] = rest;
        }
      }
      for (RootId r : ends[g]) {
        auto [at, fresh] = free.emplace(roots_[r].offset, size(r));
        auto next = std::next(at);
        if (next != free.end() && at->first + at->second == next->first) {
          at->second += next->second;
          free.erase(next);
        }
        if (at != free.begin()) {
          auto previous = std::prev(at);
          if (previous->first + previous->second == at->first) {
            previous->second += at->second;
            free.erase(at);
          }
        }
      }
    }
    program_->arena_bytes = end;
  }
  Place place(RootId r, std::int64_t offset) const {
    const Root& root = roots_[r];
    return {root.home, root.number, (root.home == Home::Arena || root.home == Home::Constants ? root.offset : 0) + offset};
  }

  // ---- kernels in their canonical form ----

  struct Instance {
    Kernel kernel;
    std::vector<Place> buffers;
    std::vector<RootId> roots;
    std::vector<std::int64_t> offsets;
    std::vector<std::int64_t> arguments;
  };

  Instance instance(const KernelDraft& draft, bool special) const {
    Instance result;
    Kernel& kernel = result.kernel;
    kernel.registers = draft.registers;
    std::map<std::tuple<RootId, std::int64_t, DType>, std::uint16_t> numbers;
    auto buffer = [&](const Walk& w) {
      auto [found, fresh] = numbers.try_emplace({w.root, w.offset, w.dtype}, static_cast<std::uint16_t>(kernel.buffers.size()));
      if (fresh) {
        kernel.buffers.push_back(w.dtype);
        result.buffers.push_back(place(w.root, w.offset));
        result.roots.push_back(w.root);
        result.offsets.push_back(w.offset);
      }
      return found->second;
    };
    auto argument = [&](std::int64_t value) {
      result.arguments.push_back(value);
      return Number{false, static_cast<std::int64_t>(kernel.arguments++)};
    };
    for (const NestDraft& d : draft.nests) {
      Nest nest = d.nest;
      nest.extents.clear();
      for (std::size_t k = 0; k < d.extents.size(); ++k)
        nest.extents.push_back(special ? Number{true, d.extents[k]} : argument(d.extents[k]));
      auto access = [&](const Walk& w) {
        Access a;
        a.buffer = buffer(w);
        for (std::size_t k = 0; k < d.extents.size(); ++k) {
          std::int64_t stride = w.strides[k];
          bool plain = stride == 0 || stride == static_cast<std::int64_t>(ir::itemsize(w.dtype));
          a.strides.push_back(plain ? Number{true, stride} : argument(stride));
        }
        return a;
      };
      nest.loads.clear();
      for (const Walk& w : d.loads) nest.loads.push_back(access(w));
      for (std::size_t k = 0; k < d.stores.size(); ++k) nest.stores[k].to = access(d.stores[k]);
      kernel.nests.push_back(std::move(nest));
    }
    return result;
  }
  static bool short_rows(const KernelDraft& draft) {
    for (const NestDraft& nest : draft.nests)
      if (!nest.extents.empty() && nest.extents.back() > kShortRow) return false;
    return true;
  }
  static Dims all_extents(const KernelDraft& draft) {
    Dims all;
    for (const NestDraft& nest : draft.nests)
      for (std::int64_t extent : nest.extents) all.push_back(extent);
    return all;
  }

  void finish() {
    // How many different extents has each kernel?
    struct Family {
      std::vector<Dims> extents;
      bool special = true;
    };
    std::unordered_map<std::string, Family> families;
    std::vector<Instance> instances;
    std::vector<Family*> family_of;
    for (auto& [step, draft] : kernels_) {
      instances.push_back(instance(draft, false));
      Family& family = families[instances.back().kernel.text()];
      family_of.push_back(&family);
      if (!short_rows(draft)) family.special = false;
      if (!family.special) continue;
      Dims extents = all_extents(draft);
      if (std::find(family.extents.begin(), family.extents.end(), extents) == family.extents.end())
        family.extents.push_back(extents);
      if (family.extents.size() > kSpecialisations) family.special = false;
    }
    std::unordered_map<std::string, std::uint32_t> numbers;
    std::vector<const Kernel*> distinct;
    std::vector<std::uint32_t> number_of;
    for (std::size_t k = 0; k < instances.size(); ++k) {
      if (family_of[k]->special) instances[k] = instance(kernels_[k].second, true);
      std::string text = instances[k].kernel.text();
      auto [found, fresh] = numbers.try_emplace(text, static_cast<std::uint32_t>(distinct.size()));
      if (fresh) {
        distinct.push_back(&instances[k].kernel);
        program_->kernel_texts.push_back(std::move(text));
      }
      number_of.push_back(found->second);
    }
    for (const Kernel* k : distinct) program_->sources.push_back(*k);
    program_->kernels = jit_.compile(distinct, &program_->fresh_kernels);
    std::size_t next = 0;
    for (const auto& [is_call, number] : steps_) {
      ProgramStep step;
      if (is_call) {
        step.first = number;
        RuntimeCall& c = program_->calls[number];
        for (std::size_t k = 0; k < c.inputs.size(); ++k)
          if (c.inputs[k].present) c.inputs[k].place = place(call_roots_[number][k], c.inputs[k].place.offset);
        program_->steps.push_back(step);
        continue;
      }
      Instance& in = instances[next];
      step.number = number_of[next++];
      step.kernel = program_->kernels[step.number].function;
      step.first = static_cast<std::uint32_t>(program_->buffers.size());
      step.first_argument = static_cast<std::uint32_t>(program_->arguments.size());
      program_->buffers.insert(program_->buffers.end(), in.buffers.begin(), in.buffers.end());
      program_->arguments.insert(program_->arguments.end(), in.arguments.begin(), in.arguments.end());
      if (program_->checks_bounds)
        for (std::size_t k = 0; k < in.roots.size(); ++k) {
          const Root& root = roots_[in.roots[k]];
          program_->limits.push_back(root.before + in.offsets[k]);
          program_->limits.push_back(root.bytes - in.offsets[k]);
        }
      program_->steps.push_back(step);
    }
    for (Index r : block_.results) {
      const Where& w = where_[r];
      program_->results.push_back({place(w.root, w.layout.offset), block_.type(r), w.layout.strides, true});
    }
    program_->finish();
  }

  runtime::Runtime& runtime_;
  Jit& jit_;
  const ir::Block& block_;
  std::span<const ArgumentInfo> arguments_;
  Roles roles_;
  std::shared_ptr<Program> program_;
  std::vector<bool> result_, has_views_, in_place_, joined_, stored_, emitted_;

  std::vector<Where> where_;
  std::vector<Index> root_node_, last_use_;
  std::unordered_map<Index, std::pair<Index, std::size_t>> placed_;
  std::vector<std::pair<Index, std::size_t>> twice_;
  std::unordered_map<Index, RootId> first_dynamic_root_;
  std::vector<Root> roots_;
  Groups groups_;
  Index group_ = 0;
  std::vector<int> register_;
  std::vector<Index> open_;
  std::vector<std::uint32_t> seen_;
  std::uint32_t stamp_ = 0;
  KernelDraft draft_;
  std::vector<std::pair<std::size_t, KernelDraft>> kernels_;  // by kernel step
  std::vector<std::pair<bool, Index>> steps_;                 // a call (its number), or the next kernel
  std::vector<std::vector<RootId>> call_roots_;
  std::map<std::pair<DType, double>, RootId> constants_;
};

}  // namespace

std::shared_ptr<Program> build_program(runtime::Runtime& runtime, Jit& jit, const ir::Block& block,
                                       std::span<const ArgumentInfo> arguments) {
  return Builder(runtime, jit, block, arguments).build();
}

}  // namespace autoray::codegen
