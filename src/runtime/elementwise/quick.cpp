#include "runtime/elementwise/quick.h"

#include <cstring>

#include "ir/error.h"
#include "ir/rules/elementwise.h"
#include "runtime/bind.h"
#include "runtime/elementwise/driver.h"

namespace autoray::runtime {

using ir::DType;
using ir::Kind;
using ir::OpId;

namespace {

constexpr std::int64_t kMostItems = 1 << 15;  // beyond, the general way polls for interrupts between chunks
constexpr std::size_t kMostOperands = 2;

void prepare_elementwise(Runtime& runtime, OpId id, BackendId backend, DType dtype, QuickLoop& quick) {
  const ir::Op& op = ir::op(id);
  bool checked = ir::is_integer(dtype) && (id == OpId::Power || id == OpId::FloorDivide || id == OpId::Remainder);
  if (runtime.entry(backend, id).kernel != elementwise_kernel || !op.has(ir::kScalarResult) || ir::is_bool(dtype) || checked ||
      op.operands.size() > kMostOperands || op.operands.find_first_not_of('A') != std::string_view::npos)
    return;
  ir::Type type{dtype, Kind::Array, {1}};
  ir::SmallVector<ir::OperandType, 4> operands;
  ir::SmallVector<std::uint32_t, 4> groups;
  for (std::size_t i = 0; i < op.operands.size(); ++i) {
    operands.push_back({&type});
    groups.push_back(1);
  }
  ir::Inference inference{op, operands, groups, {}, {}};
  try {
    ir::infer(inference);
  } catch (const ir::Error&) {
    return;  // the general way says why
  }
  DType result = inference.results[0].dtype;
  if (!ir::loop_in_operand_dtype(op) && result != dtype) return;
  quick.result = result;
  quick.quiet = op.has(ir::kQuiet);
  quick.operand_size = static_cast<std::uint8_t>(ir::itemsize(dtype));
  quick.result_size = static_cast<std::uint8_t>(ir::itemsize(result));
  quick.loop = runtime.loop(backend, id, dtype);
}

// What a product of two vectors gives: by the op's rules on two of them.
void prepare_vectors(Runtime& runtime, OpId id, BackendId backend, DType dtype, QuickLoop& quick) {
  const ir::Op& op = ir::op(id);
  const OpBinding& binding = runtime.binding(id);
  const Entry& entry = runtime.entry(backend, id);
  if (op.op_class != ir::OpClass::Contract || !op.operands.starts_with("AA") ||
      op.operands.find_first_not_of("A-") != std::string_view::npos || !entry.kernel || entry.host || !ir::is_inexact(dtype))
    return;
  const auto& parameters = binding.signature.parameters;
  quick.by_axes = parameters.size() > 2 && parameters[2].kind == ir::ParameterKind::Positional && parameters[2].name == "axes";
  ir::Type vector{dtype, Kind::Array, {2}};
  ir::SmallVector<ir::OperandType, 4> operands{{&vector}, {&vector}};
  ir::SmallVector<std::uint32_t, 4> groups{1, 1};
  std::vector<ir::Attr> attrs = binding.default_attrs;
  if (quick.by_axes) attrs[0] = std::int64_t{1};
  ir::Inference inference{op, operands, groups, attrs, {}};
  try {
    ir::infer(inference);
  } catch (const ir::Error&) {
    return;  // the general way says why
  }
  quick.vectors = inference.results[0].shape.empty() && inference.results[0].dtype == dtype;
}

// A Python number in the loop's dtype, where no rule about ranges is concerned.
bool weak_item(const Operand& operand, DType dtype, char* item) {
  auto load = [&](auto value) {
    std::memcpy(&value, operand->data, sizeof value);
    return value;
  };
  auto store = [&](auto value) {
    std::memcpy(item, &value, sizeof value);
    return true;
  };
  if (operand->dtype == DType::Float64) {
    if (dtype == DType::Float64) return store(load(0.0));
    if (dtype == DType::Float32) return store(static_cast<float>(load(0.0)));
  } else if (operand->dtype == DType::Int64) {
    if (dtype == DType::Float64) return store(static_cast<double>(load(std::int64_t{0})));
    if (dtype == DType::Float32) return store(static_cast<float>(load(std::int64_t{0})));
    if (dtype == DType::Int64) return store(load(std::int64_t{0}));
  }
  return false;
}

// A call that can take the short way: where its loop reads and writes.
struct QuickCall {
  const QuickLoop* quick = nullptr;
  DType dtype{};
  const Array* shaped = nullptr;  // an operand of the result's shape; null: 0-d
  std::int64_t count = 1;
  char* data[kMostOperands + 1];
  std::int64_t strides[kMostOperands + 1];
  alignas(16) char items[kMostOperands][16];
};

bool quick_call(Runtime& runtime, OpId id, BackendId backend, std::span<const Operand> operands, QuickCall& call) {
  if (operands.size() > kMostOperands) return false;
  const Array *first = nullptr, *shaped = nullptr;
  for (const Operand& operand : operands) {
    if (!operand.present()) return false;
    if (operand.kind == Kind::Weak) continue;
    if (!first) {
      first = operand.array;
    } else if (operand->dtype != first->dtype) {
      return false;
    }
    if (operand->shape.empty()) continue;
    if (shaped && operand->shape != shaped->shape) return false;
    if (operand->ndim() > 1 && !operand->c_contiguous()) return false;
    shaped = operand.array;
  }
  if (!first) return false;
  DType dtype = first->dtype;
  QuickLoop& quick = runtime.quick_loop(backend, id, dtype);
  if (!quick.known) [[unlikely]]
    prepare_quick(runtime, id, backend, dtype, quick);
  if (!quick.loop) return false;
  std::int64_t n = 1, size = quick.operand_size;
  if (shaped)
    for (std::int64_t extent : shaped->shape) n *= extent;
  if (n == 0 || n > kMostItems) return false;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    call.data[i] = operands[i]->data;
    std::size_t axes = operands[i]->shape.size();
    call.strides[i] = axes == 0 ? 0 : axes == 1 ? operands[i]->strides[0] : size;
    if (operands[i].kind != Kind::Weak) continue;
    // x ** 2 and its kin have rules of their own.
    if (id == OpId::Power || !weak_item(operands[i], dtype, call.items[i])) return false;
    call.data[i] = call.items[i];
  }
  call.quick = &quick;
  call.dtype = dtype;
  call.shaped = shaped;
  call.count = n;
  return true;
}

void run_quick(Runtime& runtime, OpId id, QuickCall& call) {
  call.quick->loop(call.data, call.strides, call.count);
  if (call.quick->quiet) {
    runtime.clear_fp();
  } else if (_mm_getcsr() & kFpEvents) [[unlikely]] {
    if (ir::is_inexact(call.dtype)) runtime.check_fp(ir::op(id).path);
  }
}

}  // namespace

void prepare_quick(Runtime& runtime, OpId id, BackendId backend, DType dtype, QuickLoop& quick) {
  quick.known = true;
  prepare_elementwise(runtime, id, backend, dtype, quick);
  prepare_vectors(runtime, id, backend, dtype, quick);
}

bool quick_elementwise(Runtime& runtime, OpId id, BackendId backend, std::span<const Operand> operands, Array& result) {
  QuickCall call;
  if (!quick_call(runtime, id, backend, operands, call)) return false;
  // Built in place, item by item: the parts of an array that was just written are slow to copy as blocks.
  std::int64_t step = call.quick->result_size;
  result.storage = StoragePtr(Storage::allocate(static_cast<std::size_t>(call.count * step), &runtime.charged_budget()));
  result.data = result.storage->data();
  result.dtype = call.quick->result;
  result.backend = backend;
  call.data[operands.size()] = result.data;
  call.strides[operands.size()] = step;
  if (call.shaped) {
    std::size_t axes = call.shaped->shape.size();
    std::int64_t rest = call.count * step;
    for (std::size_t axis = 0; axis < axes; ++axis) {
      std::int64_t extent = call.shaped->shape[axis];
      rest = axis + 1 == axes ? step : rest / extent;
      result.shape.push_back(extent);
      result.strides.push_back(rest);
    }
  }
  run_quick(runtime, id, call);
  return true;
}

bool quick_elementwise_in_place(Runtime& runtime, OpId id, BackendId backend, std::span<const Operand> operands) {
  QuickCall call;
  if (!quick_call(runtime, id, backend, operands, call)) return false;
  if (operands[0].kind == Kind::Weak || call.quick->result != operands[0]->dtype || operands[0]->size() != call.count)
    return false;
  call.data[operands.size()] = operands[0]->data;
  call.strides[operands.size()] = call.strides[0];
  run_quick(runtime, id, call);
  return true;
}

}  // namespace autoray::runtime
