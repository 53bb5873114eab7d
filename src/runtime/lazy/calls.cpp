// Recorded calls: an op with its arguments becomes a node. Binding, attributes, loops and out= as eagerly; draws in their
// order.
#include "runtime/lazy/recorder.h"

#include <algorithm>
#include <cstring>

#include "ir/error.h"
#include "ir/rules/elementwise.h"
#include "ir/rules/index.h"
#include "ir/rules/movement.h"
#include "runtime/bind.h"
#include "runtime/dispatch.h"
#include "runtime/forms.h"
#include "runtime/random/random_state.h"
#include "runtime/ufunc.h"

namespace autoray::runtime {

using ir::Attr;
using ir::AttrsId;
using ir::DType;
using ir::Error;
using ir::ErrorClass;
using ir::Kind;
using ir::kNoNode;
using ir::NodeId;
using ir::NodeKind;
using ir::OpId;

namespace {

[[noreturn]] void not_lazy(const ir::Op& op, const std::string& why) {
  throw Error(ErrorClass::TypeError, "'" + std::string(op.path) + "' of a lazy array: " + why)
      .with_code(kValueNeeded)
      .with_hint("compute() the array first");
}

}  // namespace

void Recorder::prepare_form(OpId id, OpForm& form) {
  form.known = true;
  const ir::Op& op = ir::op(id);
  const OpBinding& prepared = runtime_.binding(id);
  if (op.op_class == ir::OpClass::Host || op.op_class == ir::OpClass::View || op.op_class == ir::OpClass::Random ||
      id == OpId::Real || id == OpId::Imag || op.flags & (ir::kForms | ir::kDynamicShape | ir::kRandom))
    return;
  if (prepared.only_operands) {
    form.arrays = static_cast<std::uint8_t>(op.operands.size());
    tables_.attrs.release(default_attrs(id));  // interned, and kept by the form
    return;
  }
  std::size_t leading = op.operands.find_first_not_of('A');
  if (op.op_class == ir::OpClass::Join || op.operands.find_first_not_of('-', leading) != std::string_view::npos) return;
  std::size_t most = std::min(op.operands.size(), leading + kMostNumbers);
  if (prepared.out >= 0) most = std::min(most, static_cast<std::size_t>(prepared.out));
  for (std::size_t p = 0; p < most; ++p)
    if (prepared.signature.parameters[p].kind > ir::ParameterKind::Positional) most = p;
  if (leading == 0 || most <= leading) return;
  form.leading = static_cast<std::uint8_t>(leading);
  form.most = static_cast<std::uint8_t>(most);
}

Value Recorder::call_arrays(OpId id, std::span<const Value> operands, AttrsId attrs, BackendId backend, bool dispatched) {
  const std::size_t n = operands.size();
  // Arrays that were recorded alone, in a call like an earlier one: every input is looked at once.
  if (n <= 4) [[likely]] {
    NodeId ids[4];
    ir::Node* nodes[4];
    std::uint64_t types[2] = {};
    std::uint32_t depth = 0;
    std::uint8_t best = 0;
    std::size_t k = 0;
    for (; k < n; ++k) {
      auto* lazy = operands[k].get_if<LazyArray>();
      if (!lazy) break;
      ids[k] = lazy->node();
      ir::Node& node = graph_.node(ids[k]);
      if (node.hidden()) break;
      // Its result lies in memory as it does.
      if ((lazy->view_ || node.kind == NodeKind::Leaf || node.kind == NodeKind::Constant) && layout_known(*lazy)) break;
      nodes[k] = &node;
      types[k / 2] |= std::uint64_t{node.types} << (k % 2 * 32);
      if (node.depth >= depth) depth = node.depth + 1;
      if (node.backend > best) best = node.backend;
    }
    if (k == n) {
      const Inferred* memo = memo_of(id, attrs, types[0], types[1]);
      if (memo->lone && memo->is(id, n, attrs, types[0], types[1])) [[likely]] {
        SharingCache* cache = sharing.empty() ? nullptr : sharing.back().get();
        if (NodeId found = cache ? cache->find(id, {ids, n}, attrs, best) : kNoNode; found != kNoNode) {
          graph_.retain(found);
          return lazy_array(found);
        }
        ir::SourceId source = here();
        for (k = 0; k < n; ++k) ++nodes[k]->references;
        NodeId made = graph_.add_counted_call(id, {ids, n}, attrs, memo->out, source, best, dispatched, depth);
        tables_.attrs.retain(attrs);
        if (cache) cache->insert(made);
        return lazy_array(made);
      }
    }
  }
  Inputs inputs(*this);
  tables_.attrs.retain(attrs);
  try {
    for (const Value& v : operands) add_input(inputs, v);
  } catch (...) {
    tables_.attrs.release(attrs);
    throw;
  }
  NodeId made = record(id, inputs, attrs, {}, backend_of(inputs, backend), dispatched);
  return results(ir::op(id), made, inputs);
}

Value Recorder::call(OpId id, BackendId backend, const Arguments& given, BitGenerator* generator, bool dispatched) {
  const OpForm& form = form_of(id);
  const std::size_t count = given.positional.size();
  if (given.keyword_names.empty()) [[likely]] {
    if (form.arrays && form.arrays == count) [[likely]]
      return call_arrays(id, given.positional, form.defaults, backend, dispatched);
    if (count > form.leading && count <= form.most)
      if (NumbersMemo* memo = numbers_of(id, given); memo && memo->op == id)
        return call_arrays(id, given.positional.first(form.leading), memo->attrs, backend, dispatched);
  }
  return call_in_form(id, backend, given, generator, dispatched);
}

Value Recorder::call_in_form(OpId id, BackendId backend, const Arguments& given, BitGenerator* generator, bool dispatched) {
  const ir::Op& op = ir::op(id);
  try {
    if (!op.has(ir::kForms)) [[likely]]
      return call_canonical(op, backend, given, generator, dispatched);
    CanonicalForm canonical = canonical_form(runtime_, id, given);
    return call_canonical(ir::op(canonical.id), backend, canonical.arguments, generator, dispatched);
  } catch (const Error& error) {
    if (!tracing || error.code() != kValueNeeded) throw;
    return call_with_values(id, backend, given, error);
  }
}

Value Recorder::call_canonical(const ir::Op& row, BackendId backend, const Arguments& arguments, BitGenerator* generator,
                               bool dispatched) {
  const ir::Op* op = &row;
  const OpId id = row.id;
  if (op->has(ir::kDynamicShape)) not_lazy(*op, "its shape depends on the values, which are not known in a graph");
  if (op->op_class == ir::OpClass::Host) return host_call(id, arguments);
  const OpBinding& prepared = runtime_.binding(id);
  Inputs inputs(*this);
  // Arrays in position alone: the common call.
  if (prepared.only_operands && arguments.keyword_names.empty() && arguments.positional.size() == op->operands.size() &&
      !op->has(ir::kRandom)) {
    for (const Value& v : arguments.positional) add_input(inputs, v);
    if (op->op_class == ir::OpClass::View)
      return movement(id, arguments.positional[0], prepared.default_attrs, dispatched, backend);
    if (id == OpId::Real || id == OpId::Imag) return part(id, arguments.positional[0], dispatched, backend);
    AttrsId attrs = default_attrs(id);
    return results(*op, record(id, inputs, attrs, prepared.default_attrs, backend_of(inputs, backend), dispatched), inputs);
  }
  Slots slots;
  UfuncKeywords ufunc;
  VarArguments var;
  bind_arguments(*op, prepared, arguments, slots, ufunc, var);
  const auto& parameters = prepared.signature.parameters;
  if (prepared.out >= 0 && slots[static_cast<std::size_t>(prepared.out)] &&
      !slots[static_cast<std::size_t>(prepared.out)]->is_none()) {
    ufunc.out = slots[static_cast<std::size_t>(prepared.out)];
    slots[static_cast<std::size_t>(prepared.out)] = nullptr;
  }
  std::vector<Attr> own;
  std::vector<Value> variadic;
  const Value* first = nullptr;
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    const Value* v = slots[p];
    Value gathered;
    if (parameters[p].kind == ir::ParameterKind::VarPositional) {
      variadic = var.positional;
      gathered = make_tuple(std::move(var.positional));
      v = &gathered;
    }
    if (prepared.attr_of[p] >= 0) {
      if (!v) continue;
      if (own.empty()) own = prepared.default_attrs;
      own[static_cast<std::size_t>(prepared.attr_of[p])] = attribute(*op, parameters[p].name, *v);
      continue;
    }
    if (!first) first = v;
    switch (op->operands[p]) {
      case 'S': add_sequence(*op, v ? *v : make_tuple({}), inputs); break;
      case 'O':
        if (optional_given(parameters[p], v)) {
          add_input(inputs, *v);
        } else {
          inputs.nodes.push_back(kNoNode);
        }
        break;
      default: add_input(inputs, v ? *v : from_attr(parameters[p].default_value));
    }
  }
  std::span<const Attr> known = own.empty() ? std::span<const Attr>(prepared.default_attrs) : own;
  if (op->op_class == ir::OpClass::View && op->operands[0] == 'A') return movement(id, *first, known, dispatched, backend);
  if (op->op_class == ir::OpClass::View && op->has(ir::kViewResult) && !variadic.empty())
    return each_reshaped(id, inputs, known, variadic, backend);
  if (id == OpId::Split || id == OpId::ArraySplit) return split(id, *first, known);
  UfuncKeywords checked = ufunc;
  checked.out = checked.where = nullptr;
  UfuncOptions options = ufunc_options(runtime_, checked);
  if (ufunc.out && !op->has(ir::kUfunc)) not_lazy(*op, "out= is of element-wise functions");
  if (op->has(ir::kUfunc) && (ufunc.dtype || ufunc.casting)) cast_inputs(*op, inputs, known, options, backend);
  BackendId computes = backend_of(inputs, backend);
  if (op->has(ir::kRandom)) add_state(inputs, generator);
  AttrsId attrs = own.empty() ? default_attrs(id) : tables_.attrs.intern(own);
  if (NumbersMemo* memo = numbers_of(id, arguments)) {
    if (memo->op != OpId::Count) tables_.attrs.release(memo->attrs);
    std::size_t operands = inputs.nodes.size();
    for (std::size_t k = 0; k < kMostNumbers; ++k)
      memo->numbers[k] = operands + k < arguments.positional.size() ? arguments.positional[operands + k] : Value();
    memo->op = id;
    memo->attrs = attrs;
    tables_.attrs.retain(attrs);
  }
  NodeId node = record(id, inputs, attrs, known, computes, dispatched);
  if (op->has(ir::kRandom)) advance(generator, node);
  Value result = results(*op, node, inputs);
  if (ufunc.out) {
    const Value* out = ufunc.out;
    if (auto* tuple = out->get_if<Tuple>(); tuple && tuple->items.size() == 1) out = &tuple->items[0];
    auto* target = out->get_if<LazyArray>();
    if (!target)
      throw Error(ErrorClass::TypeError, "out= of a recorded call must be a lazy array: nothing is written before compute()")
          .with_code(kValueNeeded);
    // As types: what does not fit is found as eagerly.
    std::vector<Array> types;
    for (NodeId input : inputs.nodes) types.push_back(input == kNoNode ? Array() : layout_of(graph_.type(input)));
    std::vector<Operand> operands;
    for (const Array& type : types) operands.push_back({&type});
    Array made = layout_of(result.as<LazyArray>().type()), place = layout_of(target->type());
    fit_out(runtime_, *op, operands, made, place);
    ir::Dims mask;
    if (ufunc.where) mask = leaf_or_constant(*ufunc.where)->type().shape;
    check_store(id, *target, made.type(result.as<LazyArray>().type().kind), casting_of(ufunc.casting),
                ufunc.where ? &mask : nullptr);
    if (ufunc.where) result = choose(*ufunc.where, result, *out);
    set_item(*target, Value::ellipsis(), result);
    return *out;
  }
  if (ufunc.where)
    throw Error(ErrorClass::TypeError, "where= without out= leaves elements undefined: a recorded call needs both")
        .with_code(kValueNeeded);
  return result;
}

Recorder::NumbersMemo* Recorder::numbers_of(OpId id, const Arguments& arguments) {
  const OpForm& form = form_of(id);
  const std::size_t given = arguments.positional.size();
  if (!arguments.keyword_names.empty() || given <= form.leading || given > form.most) return nullptr;
  auto numbers = arguments.positional.subspan(form.leading);
  std::uint64_t hash = static_cast<std::uint64_t>(id) + 1;
  for (const Value& v : numbers) {
    if (!v.is_int() && !v.is_none() && !v.is_bool()) return nullptr;
    hash = (hash ^ static_cast<std::uint64_t>(v.as_int()) ^ static_cast<std::uint64_t>(v.tag()) << 60) * 0x9e3779b97f4a7c15ull;
  }
  NumbersMemo& memo = numbers_[hash >> 58];
  if (memo.op == id)
    for (std::size_t k = 0; k < kMostNumbers; ++k) {
      bool has = k < numbers.size();
      if (memo.numbers[k].empty() ? has : !has || !memo.numbers[k].identical(numbers[k])) {
        // Another call's: it makes room.
        tables_.attrs.release(memo.attrs);
        memo.op = OpId::Count;
        break;
      }
    }
  return &memo;
}

Attr Recorder::attribute(const ir::Op& op, std::string_view name, const Value& v) {
  if (contains_lazy(v)) not_lazy(op, "'" + std::string(name) + "' must be known while recording, and is a lazy array");
  return attribute_of(runtime_, op, name, v);
}

void Recorder::check_store(OpId id, LazyArray& target, const ir::Type& result, ir::Casting casting, const ir::Dims* where) {
  Array out;
  out.dtype = target.type().dtype;
  out.shape = target.type().shape;
  out.writable = view_of(target).writable;
  runtime::check_store(ir::op(id).path, result, out, casting, where);
}

void Recorder::add_sequence(const ir::Op& op, const Value& v, Inputs& inputs) {
  if (auto* list = v.get_if<List>()) {
    for (const Value& item : list->items) add_input(inputs, item);
  } else if (auto* tuple = v.get_if<Tuple>()) {
    for (const Value& item : tuple->items) add_input(inputs, item);
  } else if (auto* lazy = v.get_if<LazyArray>()) {
    if (lazy->type().shape.empty()) throw Error(ErrorClass::TypeError, "iteration over a 0-d array");
    for (std::int64_t i = 0, n = lazy->type().shape[0]; i < n; ++i) {
      Value row = get_item(*lazy, Value::integer(i));
      NodeId id = row.as<LazyArray>().node();
      graph_.retain(id);
      inputs.hold(id);
    }
  } else if (auto* array = v.get_if<ArrayObject>()) {
    for (std::int64_t i = 0; i < (array->array.ndim() ? array->array.shape[0] : 0); ++i)
      add_input(inputs, runtime::get_item(runtime_, array->array, Value::integer(i)));
  } else {
    throw Error(ErrorClass::TypeError,
                "'" + type_name(v) + "' object given where '" + std::string(op.path) + "' takes a sequence of arrays");
  }
}

void Recorder::cast_inputs(const ir::Op& op, Inputs& inputs, std::span<const Attr> attrs, const UfuncOptions& options,
                           BackendId backend) {
  std::vector<Array> arrays;
  for (NodeId id : inputs.nodes) {
    // Numbers with their values, all others as types.
    if (id != kNoNode && graph_.node(id).kind == NodeKind::Constant) {
      arrays.push_back(array(id));
      continue;
    }
    Array& type = arrays.emplace_back();
    if (id == kNoNode) continue;
    type.dtype = graph_.type(id).dtype;
    type.shape = graph_.type(id).shape;
  }
  ir::SmallVector<Operand, 4> operands;
  ir::SmallVector<std::uint32_t, 4> groups;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    NodeId id = inputs.nodes[i];
    operands.push_back(id == kNoNode ? Operand{} : Operand{&arrays[i], graph_.type(id).kind});
    groups.push_back(id == kNoNode ? 0 : 1);
  }
  LoopCasts casts = choose_loop(runtime_, op, backend_of(inputs, backend), operands, groups, attrs, options);
  for (std::size_t i = 0; i < casts.size(); ++i) {
    if (!casts[i]) continue;
    Inputs one(*this);
    one.nodes.push_back(inputs.nodes[i]);
    std::vector<Attr> astype(runtime_.default_attrs(OpId::Astype).begin(), runtime_.default_attrs(OpId::Astype).end());
    astype[0] = *casts[i];
    inputs.nodes[i] = record(OpId::Astype, one, tables_.attrs.intern(astype), astype, backend_of(one, 0), false);
    inputs.held.push_back(inputs.nodes[i]);
  }
}

Value Recorder::choose(const Value& mask, const Value& yes, const Value& no) {
  const Value operands[] = {mask, yes, no};
  return call(OpId::Where, 0, {operands, {}, {}}, nullptr, false);
}

// asarray(lazy), array([lazy, ...]) and their kin work on values; what answers with numbers cannot be recorded.
Value Recorder::host_call(OpId id, const Arguments& arguments) {
  const ir::Op& op = ir::op(id);
  bool lazy =
      std::any_of(arguments.positional.begin(), arguments.positional.end(), [&](const Value& v) { return contains_lazy(v); });
  for (const Value& v : arguments.keyword_values) lazy |= contains_lazy(v);
  if (id == OpId::Meshgrid) return meshgrid(arguments);
  if (id == OpId::Linspace && lazy) return linspace(arguments);
  if (id == OpId::Arange && lazy) not_lazy(op, "its length depends on the values, which are not known in a graph");
  if (!lazy) return leaf(runtime_.call(id, runtime_.native_backend(), arguments));
  if ((id == OpId::Asarray || id == OpId::ArrayOp) && !arguments.positional.empty()) {
    for (std::string_view name : arguments.keyword_names)
      if (name != "dtype") not_lazy(op, "'" + std::string(name) + "' is about an array's memory");
    if (arguments.positional.size() > 2) not_lazy(op, "its order is about an array's memory");
    Value array = leaf(arguments.positional[0]);
    const Value* dtype = arguments.positional.size() > 1 ? &arguments.positional[1] : nullptr;
    for (std::size_t i = 0; i < arguments.keyword_names.size(); ++i)
      if (arguments.keyword_names[i] == "dtype") dtype = &arguments.keyword_values[i];
    if (dtype && !dtype->is_none()) {
      const Value operands[] = {array, *dtype};
      return call(OpId::Astype, 0, {operands, {}, {}}, nullptr, false);
    }
    return id == OpId::ArrayOp ? call(OpId::Copy, 0, {std::span(&array, 1), {}, {}}, nullptr, false) : array;
  }
  not_lazy(op, "it needs the values");
}

// ---- random draws: the generator and the draw before are inputs of every draw, so that none is shared, dropped or reordered
// ----

void Recorder::add_state(Inputs& inputs, BitGenerator* generator) {
  if (!generator) generator = &legacy_stream(runtime_);
  auto [found, fresh] = streams_.try_emplace(generator);
  if (fresh) {
    // The array of a State node stands for its generator, and keeps the object alive that owns it.
    auto release = [](void* owner, void*) {
      if (owner) static_cast<Object*>(owner)->release();
    };
    if (generator->owner) generator->owner->retain();
    Array array;
    array.storage = StoragePtr(Storage::adopt(generator, 0, true, release, generator->owner));
    array.data = reinterpret_cast<char*>(generator);
    array.dtype = DType::UInt64;
    ir::Type type{DType::UInt64, Kind::Scalar, {}};
    found->second.state =
        graph_.add_leaf(NodeKind::State, tables_.types.intern(type), new Array(std::move(array)), ir::kNoSource, 0);
  }
  inputs.nodes.push_back(found->second.state);
  NodeId last = found->second.last;
  inputs.nodes.push_back(last != kNoNode && graph_.node(last).kind == NodeKind::Call ? last : kNoNode);
}

void Recorder::advance(BitGenerator* generator, NodeId draw) {
  if (!generator) generator = &legacy_stream(runtime_);
  Stream& stream = streams_.at(generator);
  graph_.retain(draw);
  if (stream.last != kNoNode) graph_.release(stream.last);
  stream.last = draw;
}

void Recorder::forget_draws() {
  for (auto& [generator, stream] : streams_)
    if (stream.last != kNoNode && graph_.node(stream.last).kind == NodeKind::Call) {
      graph_.release(stream.last);
      stream.last = kNoNode;
    }
}

NodeId Recorder::pending_draw(BitGenerator* generator) const {
  auto found = streams_.find(generator);
  if (found == streams_.end() || found->second.last == kNoNode) return kNoNode;
  return graph_.node(found->second.last).kind == NodeKind::Call ? found->second.last : kNoNode;
}

std::vector<NodeId> Recorder::pending_draws() const {
  std::vector<NodeId> draws;
  for (const auto& [generator, stream] : streams_)
    if (NodeId id = pending_draw(generator); id != kNoNode) draws.push_back(id);
  return draws;
}

}  // namespace autoray::runtime
