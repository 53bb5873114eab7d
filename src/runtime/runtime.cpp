#include "runtime/runtime.h"

#include <xmmintrin.h>

#include <cmath>
#include <cstdio>
#include <cstring>

#include "ir/error.h"
#include "runtime/bind.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/elementwise/driver.h"
#include "runtime/elementwise/quick.h"
#include "runtime/forms.h"
#include "runtime/lazy/deferral.h"
#include "runtime/lazy/executor.h"
#include "runtime/lazy/recorder.h"
#include "runtime/random/random_state.h"
#include "runtime/ufunc.h"

namespace autoray::runtime {

using ir::Error;
using ir::ErrorClass;
using ir::OpId;

Runtime::Runtime(const RuntimeOptions& options) {
  auto natives = native_backends();
  backends_.assign(natives.begin(), natives.end());
  entries_.resize(backends_.size() * ir::kOpCount);
  loops_.resize(backends_.size() * ir::kOpCount * ir::kDTypeCount, nullptr);
  loop_providers_.resize(loops_.size(), 0);
  bindings_.resize(ir::kOpCount);
  quick_loops_ = std::make_unique<QuickLoop[]>(loops_.size());
  for (std::size_t b = 0; b < backends_.size(); ++b) {
    const Backend& backend = *backends_[b];
    auto id = static_cast<BackendId>(b);
    // What it is based on stands before it in the list, so inheriting is copying.
    if (!backend.based_on.empty()) {
      BackendId base = *find_backend(backend.based_on);
      for (int op = 0; op < ir::kOpCount; ++op) entry(id, static_cast<OpId>(op)) = entry(base, static_cast<OpId>(op));
      std::size_t per_backend = std::size_t{ir::kOpCount} * ir::kDTypeCount;
      std::copy_n(loops_.begin() + static_cast<std::ptrdiff_t>(base * per_backend), per_backend,
                  loops_.begin() + static_cast<std::ptrdiff_t>(b * per_backend));
      std::copy_n(loop_providers_.begin() + static_cast<std::ptrdiff_t>(base * per_backend), per_backend,
                  loop_providers_.begin() + static_cast<std::ptrdiff_t>(b * per_backend));
    }
    for (KernelTable table : backend.kernels)
      for (const KernelRow& row : table()) {
        Entry& e = entry(id, row.op);
        e.kernel = row.kernel;
        e.library = row.library;
        e.provided_by = id;
      }
    for (HostTable table : backend.hosts)
      for (const HostRow& row : table()) {
        Entry& e = entry(id, row.op);
        e.host = row.function;
        e.library = "autoray";
        e.provided_by = id;
      }
    for (LoopTable table : backend.loops)
      for (const LoopRow& row : table()) {
        std::size_t at =
            (b * ir::kOpCount + static_cast<std::size_t>(row.op)) * ir::kDTypeCount + static_cast<std::size_t>(row.dtype);
        loops_[at] = row.loop;
        loop_providers_[at] = id;
      }
  }
  auto native = find_backend(options.backend);
  if (!native || *native == kLazy)
    throw Error(ErrorClass::ValueError, "unknown backend '" + options.backend + "'").with_code(501);
  native_ = *native;
  // Last: what throws above leaves no destructor to release it.
  budget_ = MemoryBudget::create(options.max_memory);
  work_ = MemoryBudget::create(-1);
  charged_ = budget_;
  if (options.defer != Defer::Off) deferral_ = std::make_unique<Deferral>(*this, options.defer);
}

Runtime::~Runtime() {
  budget_->release();
  work_->release();
}

void Runtime::make_recorder() { recorder_ = std::make_unique<Recorder>(*this); }
bool Runtime::has_lazy_arrays() const { return recorder_ && recorder_->live_arrays() > 0; }

// ---- arrays ----

namespace {

std::string size_text(double bytes) {
  static constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  int unit = 0;
  while (bytes >= 1024 && unit < 6) {
    bytes /= 1024;
    ++unit;
  }
  char text[64];
  if (unit == 0) {
    std::snprintf(text, sizeof text, "%.0f bytes", bytes);
  } else {
    std::snprintf(text, sizeof text, bytes < 10 ? "%.2f %s" : bytes < 100 ? "%.1f %s" : "%.0f. %s", bytes, kUnits[unit]);
  }
  return text;
}

[[noreturn]] void cannot_allocate(ir::DType dtype, std::span<const std::int64_t> shape, std::int64_t bytes) {
  throw Error(ErrorClass::MemoryError, "Unable to allocate " + size_text(static_cast<double>(bytes)) +
                                           " for an array with shape " + ir::to_string(shape) + " and data type " +
                                           std::string(ir::name(dtype)))
      .with_code(703);
}

Array fresh(MemoryBudget* budget, ir::DType dtype, std::span<const std::int64_t> shape, bool zeroed) {
  Array array;
  std::int64_t size = static_cast<std::int64_t>(ir::itemsize(dtype)), bytes;
  if (__builtin_mul_overflow(ir::element_count(shape), size, &bytes))
    throw Error(ErrorClass::ValueError,
                "array is too big; `arr.size * arr.dtype.itemsize` is larger than the maximum possible size.");
  try {
    auto count = static_cast<std::size_t>(bytes);
    array.storage = StoragePtr(zeroed ? Storage::allocate_zeroed(count, budget) : Storage::allocate(count, budget));
  } catch (const std::bad_alloc&) {
    cannot_allocate(dtype, shape, bytes);
  }
  array.data = array.storage->data();
  array.dtype = dtype;
  array.shape.assign(shape.begin(), shape.end());
  array.strides = ir::contiguous_strides(shape, size);
  return array;
}

}  // namespace

Array Runtime::allocate(ir::DType dtype, std::span<const std::int64_t> shape) { return fresh(charged_, dtype, shape, false); }
Array Runtime::allocate_zeroed(ir::DType dtype, std::span<const std::int64_t> shape) {
  return fresh(charged_, dtype, shape, true);
}

Array& KernelCall::allocate(std::size_t i) {
  // One with memory is the caller's place for the result.
  if (!out[i].storage) out[i] = runtime.allocate(types[i].dtype, types[i].shape);
  out[i].backend = backend;
  return out[i];
}

// ---- backends ----

std::optional<BackendId> Runtime::find_backend(std::string_view name) const {
  for (std::size_t i = 0; i < backends_.size(); ++i)
    if (backends_[i]->name == name) return static_cast<BackendId>(i);
  return std::nullopt;
}

QuickLoop& Runtime::quick_loop(BackendId backend, OpId id, ir::DType dtype) {
  return quick_loops_[(backend * ir::kOpCount + static_cast<std::size_t>(id)) * ir::kDTypeCount +
                      static_cast<std::size_t>(dtype)];
}

std::string_view Runtime::backend_name(BackendId id) const { return backends_[id]->name; }

const OpBinding& Runtime::binding(OpId id) {
  auto& place = bindings_[static_cast<std::size_t>(id)];
  if (!place) [[unlikely]]
    place = std::make_unique<OpBinding>(ir::op(id));
  return *place;
}

const ir::Signature& Runtime::signature(OpId id) { return binding(id).signature; }
std::span<const ir::Attr> Runtime::default_attrs(OpId id) { return binding(id).default_attrs; }

// ---- running kernels ----

namespace {

std::string describe(std::span<const Operand> operands) {
  std::string text;
  for (const Operand& operand : operands) {
    if (!operand.present()) continue;
    if (!text.empty()) text += ", ";
    text += ir::to_string(operand->type(operand.kind));
  }
  return text;
}

std::vector<std::string> operand_texts(std::span<const Operand> operands) {
  std::vector<std::string> texts;
  for (const Operand& operand : operands)
    if (operand.present()) texts.push_back(ir::to_string(operand->type(operand.kind)));
  return texts;
}

// What the values that a script sees need to know beyond the arrays.
struct ResultForm {
  ir::Kind kind = ir::Kind::Array;         // of the first result
  const ir::ResultNames* names = nullptr;  // of a tuple
};

// Infers and runs one entry's kernel. Results are appended; all carry the backend's tag.
void execute(Runtime& runtime, const ir::Op& op, BackendId backend, const Entry& entry, std::span<const Operand> operands,
             std::span<const std::uint32_t> groups, std::span<const ir::Attr> attrs, BitGenerator* random,
             std::vector<Array>& results, bool explain, ResultForm* form = nullptr) {
  if (!entry.kernel)
    throw Error(ErrorClass::NotImplementedError,
                "'" + std::string(op.path) + "' has no kernel on backend '" + std::string(runtime.backend_name(backend)) + "'")
        .with_code(502);
  ir::SmallVector<ir::OperandType, 4> operand_types;
  ir::Type inline_types[4];
  std::vector<ir::Type> more_types;
  if (operands.size() > 4) more_types.resize(operands.size());
  ir::Type* types = operands.size() > 4 ? more_types.data() : inline_types;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (!operands[i].present()) {
      operand_types.push_back({});
      continue;
    }
    types[i] = operands[i]->type(operands[i].kind);
    operand_types.push_back({&types[i]});
  }
  ir::Inference inference{op, operand_types, groups, attrs, {}};
  if (!op.has(ir::kDynamicShape)) {
    ir::infer(inference);
  } else if (op.shape_rule) {
    op.shape_rule(inference);  // checks arguments; the results' shapes are data
    inference.results.clear();
  }
  if (form) {
    if (!inference.results.empty()) form->kind = inference.results[0].kind;
    form->names = inference.names;
  }
  std::size_t first = results.size();
  results.resize(first + inference.results.size());
  KernelCall call{.runtime = runtime,
                  .op = op,
                  .backend = backend,
                  .in = operands,
                  .groups = groups,
                  .attrs = attrs,
                  .types = inference.results,
                  .out = std::span(results).subspan(first),
                  .dynamic_out = &results,
                  .random = random,
                  .provider = entry.provided_by,
                  .library = entry.library};
  entry.kernel(call);
  tell_of_conversions(runtime, op);
  if (explain && runtime.on_explain) [[unlikely]]
    runtime.on_explain({std::string(op.path), describe(operands), std::string(runtime.backend_name(backend)),
                        std::string(runtime.backend_name(call.provider)), std::string(call.library)});
  for (std::size_t i = first; i < results.size(); ++i) {
    // A view of a scalar borrows memory that ends with the call.
    if (!results[i].storage) [[unlikely]]
      results[i] = converted(runtime, results[i], results[i].dtype);
    results[i].backend = backend;
  }
}

}  // namespace

std::vector<Array> Runtime::run(OpId id, BackendId backend, std::span<const Operand> operands,
                                std::span<const std::uint32_t> groups, std::span<const ir::Attr> attrs) {
  std::vector<Array> results;
  execute(*this, ir::op(id), backend, entry(backend, id), operands, groups, attrs, nullptr, results, false);
  return results;
}

Array Runtime::run1(OpId id, BackendId backend, std::initializer_list<const Array*> arrays,
                    std::initializer_list<ir::Attr> attrs) {
  const OpBinding& prepared = binding(id);
  ir::SmallVector<Operand, 4> operands;
  ir::SmallVector<std::uint32_t, 4> groups;
  for (const Array* array : arrays) {
    operands.push_back({array, ir::Kind::Array});
    groups.push_back(array ? 1 : 0);
  }
  while (groups.ssize() < prepared.operand_parameters) {
    operands.push_back({});
    groups.push_back(0);
  }
  Array quick;
  if (quick_elementwise(*this, id, backend, operands, quick)) return quick;
  std::vector<Array> results;
  if (attrs.size() == 0) {
    execute(*this, ir::op(id), backend, entry(backend, id), operands, groups, prepared.default_attrs, nullptr, results, false);
  } else {
    std::vector<ir::Attr> full(attrs);
    for (std::size_t i = full.size(); i < prepared.default_attrs.size(); ++i) full.push_back(prepared.default_attrs[i]);
    execute(*this, ir::op(id), backend, entry(backend, id), operands, groups, full, nullptr, results, false);
  }
  return std::move(results.at(0));
}

Value make_result_tuple(std::vector<Value> items, const ir::ResultNames* names) {
  Value tuple = make_tuple(std::move(items));
  if (names) {
    tuple.as<Tuple>().type_name = names->type;
    tuple.as<Tuple>().field_names = names->fields;
  }
  return tuple;
}

// A 0-d result that is a Python scalar (random.random()), a numpy scalar (rng.integers(3)) or an array, as its kind says.
Value from_kind(Array array, ir::Kind kind) {
  if (kind != ir::Kind::Weak || !array.shape.empty()) return from_array(std::move(array), kind == ir::Kind::Scalar);
  auto load = [&](auto item) {
    std::memcpy(&item, array.data, sizeof item);
    return item;
  };
  switch (array.dtype) {
    case ir::DType::Float64: return Value::real(load(0.0));
    case ir::DType::Float32: return Value::real(static_cast<double>(load(0.0f)));
    case ir::DType::Bool: return Value::boolean(load(false));
    default: return Value::integer(load(std::int64_t{0}));
  }
}

namespace {

// Sequences of operands: a list or tuple, or an array's rows.
void add_sequence(Runtime& runtime, const ir::Op& op, const Value& value, OperandList& list) {
  list.begin_group();
  auto add = [&](const Value& item) {
    list.add(runtime, item);
    list.count();
  };
  if (auto* items = value.get_if<List>()) {
    for (const Value& item : items->items) add(item);
  } else if (auto* tuple = value.get_if<Tuple>()) {
    for (const Value& item : tuple->items) add(item);
  } else if (auto* array = value.get_if<ArrayObject>()) {
    if (array->array.ndim() == 0) throw Error(ErrorClass::TypeError, "iteration over a 0-d array");
    for (std::int64_t i = 0; i < array->array.shape[0]; ++i) {
      Value row = get_item(runtime, array->array, Value::integer(i));
      list.add_array(to_array(runtime, row), row.is(ObjectKind::NumpyScalar) ? ir::Kind::Scalar : ir::Kind::Array);
      list.count();
    }
  } else if (value.is(ObjectKind::Iterator)) {
    throw Error(ErrorClass::TypeError, "arrays to " + std::string(op.path.substr(op.path.rfind('.') + 1)) +
                                           " must be passed as a \"sequence\" type such as list or tuple.");
  } else {
    throw Error(ErrorClass::TypeError,
                "'" + type_name(value) + "' object given where '" + std::string(op.path) + "' takes a sequence of arrays");
  }
}

Value results_value(const ir::Op& op, std::vector<Array>& results, const ResultForm& form) {
  bool scalar = op.has(ir::kScalarResult);
  if (!op.has(ir::kTupleResult) && !op.has(ir::kListResult) && results.size() == 1)
    return op.has(ir::kDynamicShape) ? from_array(std::move(results[0]), scalar) : from_kind(std::move(results[0]), form.kind);
  std::vector<Value> items;
  items.reserve(results.size());
  for (Array& result : results) items.push_back(from_array(std::move(result), scalar));
  if (op.has(ir::kListResult)) return make_list(std::move(items));
  // An op whose number of results follows its arguments (unique, atleast_1d) gives a lone one bare.
  if (items.size() == 1 && op.id != OpId::Nonzero) return items[0];
  return make_result_tuple(std::move(items), form.names);
}

}  // namespace

Value Runtime::call(OpId id, BackendId backend, const Arguments& arguments, BitGenerator* generator, bool dispatched) {
  poll();
  if (backend == kLazy) return recorder().call(id, native_, arguments, generator, dispatched);
  if (deferral_ && deferral_->direct == 0) [[unlikely]]
    return deferral_->call(id, backend, arguments, generator);
  const ir::Op& op = ir::op(id);
  if (recorder_ && op.has(ir::kRandom) && op.op_class == ir::OpClass::Random) [[unlikely]] {
    if (recorder_->tracing || any_lazy(arguments)) return recorder_->call(id, backend, arguments, generator, dispatched);
    // Draws that were recorded before come first.
    ir::NodeId pending = recorder_->pending_draw(generator ? generator : &legacy_stream(*this));
    if (pending != ir::kNoNode) compute(*recorder_, std::span(&pending, 1));
  }
  // What a traced function makes may be written with values that are not known yet.
  if (recorder_ && recorder_->tracing && op.has(ir::kLikeResult)) [[unlikely]]
    return recorder_->call(id, backend, arguments, generator, dispatched);
  if (op.has(ir::kForms)) [[unlikely]] {
    CanonicalForm form = canonical_form(*this, id, arguments);
    if (form.id != id) return call(form.id, backend, form.arguments, generator);
    return call_bound(id, backend, form.arguments, generator);
  }
  return call_bound(id, backend, arguments, generator);
}

Value Runtime::call_bound(OpId id, BackendId backend, const Arguments& arguments, BitGenerator* generator) {
  const ir::Op& op = ir::op(id);
  Entry& target = entry(backend, id);
  const OpBinding& prepared = binding(id);
  if (op.op_class == ir::OpClass::Contract && arguments.keyword_names.empty() && !on_explain) {
    Value product;
    if (quick_product(*this, id, backend, arguments.positional, product)) return product;
  }
  std::vector<Array> results;
  OperandList operands;
  ResultForm form;
  if (op.has(ir::kViewResult)) operands.own_items();
  try {
    if (prepared.only_operands && arguments.keyword_names.empty() && arguments.positional.size() == op.operands.size() &&
        !target.host) {
      for (const Value& value : arguments.positional) {
        operands.begin_group();
        operands.add(*this, value);
        operands.count();
      }
      // As in numpy, a real array is its own real part.
      if (id == OpId::Real && !on_explain)
        if (auto* array = arguments.positional[0].get_if<ArrayObject>();
            array && !ir::is_complex(array->array.dtype) && array->array.backend == backend)
          return arguments.positional[0];
      if (target.kernel == elementwise_kernel && !on_explain) {
        auto object = make<ArrayObject>(Array());
        if (quick_elementwise(*this, id, backend, operands.operands(), object->array)) {
          if (object->array.shape.empty()) return from_array(std::move(object->array), true);
          return object;
        }
      }
      execute(*this, op, backend, target, operands.operands(), operands.groups(), prepared.default_attrs, generator, results,
              true, &form);
      return results_value(op, results, form);
    }
    Slots slots;
    UfuncKeywords ufunc;
    VarArguments var;
    bind_arguments(op, prepared, arguments, slots, ufunc, var);
    const auto& parameters = prepared.signature.parameters;
    if (target.host) {
      std::vector<Value> values(parameters.size());
      for (std::size_t p = 0; p < parameters.size(); ++p) {
        if (parameters[p].kind == ir::ParameterKind::VarPositional) {
          values[p] = make_tuple(std::move(var.positional));
        } else if (parameters[p].kind == ir::ParameterKind::VarKeyword) {
          values[p] = var.keywords ? var.keywords : make<Dict>();
        } else if (slots[p]) {
          values[p] = *slots[p];
        } else if (prepared.attr_of[p] >= 0) {
          values[p] = from_attr(parameters[p].default_value);
        }
      }
      if (on_explain)
        on_explain({std::string(op.path), "", std::string(backend_name(backend)), std::string(backend_name(target.provided_by)),
                    "autoray"});
      HostCall call{*this, op, backend, values};
      return target.host(call);
    }
    if (prepared.out >= 0 && slots[prepared.out] && !slots[prepared.out]->is_none()) {
      ufunc.out = slots[prepared.out];
      slots[prepared.out] = nullptr;
    }
    std::span<const ir::Attr> attrs = prepared.default_attrs;
    std::vector<ir::Attr> own_attrs;
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      const Value* value = slots[p];
      bool variadic = parameters[p].kind == ir::ParameterKind::VarPositional;
      Value gathered;
      if (variadic) {
        gathered = make_tuple(std::move(var.positional));
        value = &gathered;
      }
      if (prepared.attr_of[p] >= 0) {
        if (!value) continue;
        if (own_attrs.empty()) own_attrs = prepared.default_attrs;
        own_attrs[static_cast<std::size_t>(prepared.attr_of[p])] = attribute_of(*this, op, parameters[p].name, *value);
        attrs = own_attrs;
        continue;
      }
      switch (op.operands[p]) {
        case 'S': add_sequence(*this, op, value ? *value : make_tuple({}), operands); break;
        case 'O':
          operands.begin_group();
          if (optional_given(parameters[p], value)) {
            operands.add(*this, *value);
            operands.count();
          } else {
            operands.add_absent();
          }
          break;
        default:
          operands.begin_group();
          operands.add(*this, value ? *value : from_attr(parameters[p].default_value));
          operands.count();
      }
    }
    UfuncOptions options = ufunc_options(*this, ufunc);
    if (options.out && op.op_class == ir::OpClass::Reduction) {
      // Without a dtype= a sum is taken in the dtype that its items and `out` have in common.
      int p = prepared.signature.index_of("dtype");
      ir::DType items = operands[0]->dtype;
      bool spread = op.id == OpId::Var || op.id == OpId::Std, mean = op.id == OpId::Mean;
      if (p >= 0 && !spread && (!slots[p] || slots[p]->is_none()) && (!mean || ir::is_inexact(items))) {
        if (own_attrs.empty()) own_attrs = prepared.default_attrs;
        own_attrs[static_cast<std::size_t>(prepared.attr_of[p])] = ir::promote(items, options.out->array.dtype);
        attrs = own_attrs;
      }
      // The sum begins in `out`: what an integer there does not hold of initial= is lost.
      int first = prepared.signature.index_of("initial");
      if (first >= 0 && slots[first] && slots[first]->is_float() && ir::is_integer(options.out->array.dtype)) {
        if (own_attrs.empty()) own_attrs = prepared.default_attrs;
        own_attrs[static_cast<std::size_t>(prepared.attr_of[first])] = std::trunc(slots[first]->as_float());
        attrs = own_attrs;
      }
      // A maximum is taken in it too, which only an initial= can tell.
      bool extreme = op.id == OpId::Max || op.id == OpId::Min;
      if (ir::DType common = ir::promote(items, options.out->array.dtype); extreme && common != items)
        operands.replace(0, converted(*this, *operands[0].array, common));
    }
    if (options.out && op.op_class == ir::OpClass::Join) {
      // Each part is cast to what `out` is.
      auto p = static_cast<std::size_t>(prepared.signature.index_of("dtype"));
      if (slots[p] && !slots[p]->is_none())
        throw Error(ErrorClass::TypeError, "concatenate() only takes `out` or `dtype` as an argument, but both were provided.");
      if (own_attrs.empty()) own_attrs = prepared.default_attrs;
      own_attrs[static_cast<std::size_t>(prepared.attr_of[p])] = options.out->array.dtype;
      attrs = own_attrs;
    }
    if (op.has(ir::kUfunc) && ufunc.any()) select_loop(*this, op, backend, operands, attrs, options);
    // What is raised because of values is raised when they are where they should be.
    std::optional<Error> raised;
    {
      struct Later {
        ~Later() { place = before; }
        std::optional<Error>*& place;
        std::optional<Error>* before = place;
      } later{raised_later_};
      if (options.out) raised_later_ = &raised;
      execute(*this, op, backend, target, operands.operands(), operands.groups(), attrs, generator, results, true, &form);
    }
    if (options.out) {
      Array &result = results.at(0), out = options.out->array;
      fit_out(*this, op, operands.operands(), result, out);
      if (!op.has(ir::kUfunc) && !dot_multiplies(op, operands.operands(), result.dtype))
        options.casting = check_out(op, attrs, result, out);
      store_result(*this, op.path, result, out, options.casting, options.where);
      if (raised) throw *raised;
      if (op.id == OpId::Dot && out.shape.empty()) return from_array(std::move(result), true);
      return Ref<ArrayObject>::share(options.out);
    }
    if (options.where) {
      // Where the mask is false the result is uninitialised, as numpy's is.
      Array result = std::move(results.at(0));
      std::span<const std::int64_t> shapes[] = {result.shape, options.where->shape};
      Array fresh_out = allocate(result.dtype, ir::broadcast_all(shapes));
      masked_copy(*this, result, fresh_out, *options.where);
      fresh_out.backend = backend;
      results[0] = std::move(fresh_out);
    }
    return results_value(op, results, form);
  } catch (Error& error) {
    // The argument that could not become an operand.
    std::size_t failed = operands.operands().size();
    if (op.has(ir::kUfunc) && failed < arguments.positional.size() && arguments.positional[failed].is(ObjectKind::Str))
      refuse_text(*this, op, backend);
    // Operands that no loop takes are numpy's first complaint, before their shapes.
    if (op.op_class == ir::OpClass::Elementwise && op.has(ir::kUfunc) && error.error_class() == ErrorClass::ValueError)
      select_loop(*this, op, backend, operands, prepared.default_attrs, {});
    if (error.operands().empty()) error.with_operands(operand_texts(operands.operands()));
    throw;
  }
}

// ---- interruption, warnings, floating-point events ----

void tell_of_conversions(Runtime& runtime, const ir::Op& op) {
  using ir::OpClass;
  bool converts = op.op_class == OpClass::Elementwise || op.op_class == OpClass::Create || op.op_class == OpClass::Join ||
                  op.op_class == OpClass::View;
  if (converts && !op.has(ir::kQuiet))
    runtime.check_fp(op.has(ir::kUfunc) ? op.path : "cast");
  else
    clear_fp();
}

void Runtime::raise_interrupt() {
  // Ctrl-C is told once, as Python tells it; the end of the time lasts, whatever a `finally` does.
  if (interrupt_.load() == static_cast<int>(Stop::Timeout))
    throw Error(ErrorClass::TimeoutError, "the time limit was reached").with_code(704).with_hint("raise --timeout");
  int expected = static_cast<int>(Stop::Interrupt);
  interrupt_.compare_exchange_strong(expected, 0);
  throw Error(ErrorClass::KeyboardInterrupt, "interrupted").with_code(705);
}

void Runtime::warn(ErrorClass category, const std::string& message) {
  if (on_warning) on_warning(category, message);
}

void Runtime::report_fp(std::string_view op_name) {
  constexpr unsigned kInvalid = 0x01, kDivide = 0x04, kOverflow = 0x08, kUnderflow = 0x10;
  unsigned flags = _mm_getcsr();
  unsigned seen = flags & (kInvalid | kDivide | kOverflow | kUnderflow);
  _mm_setcsr(flags & ~0x3fu);
  bool raised = false;
  auto act = [&](unsigned bit, FpAction action, const char* what) {
    if (raised || !(seen & bit) || action == FpAction::Ignore) return;
    std::string message = std::string(what) + " encountered in " + std::string(op_name);
    if (action != FpAction::Raise) return warn(ErrorClass::RuntimeWarning, message);
    Error error(ErrorClass::FloatingPointError, message);
    if (!raised_later_) throw error;
    raised = true;
    if (!*raised_later_) *raised_later_ = std::move(error);
  };
  act(kDivide, fp_state.divide, "divide by zero");
  act(kOverflow, fp_state.over, "overflow");
  act(kUnderflow, fp_state.under, "underflow");
  act(kInvalid, fp_state.invalid, "invalid value");
}

}  // namespace autoray::runtime
