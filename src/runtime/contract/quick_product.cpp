#include "runtime/dispatch.h"
#include "runtime/elementwise/quick.h"

namespace autoray::runtime {

using ir::Kind;
using ir::OpId;

namespace {

// Two vectors of one dtype and length whose product is one element; null for others.
const QuickLoop* quick_vectors(Runtime& runtime, OpId id, BackendId backend, const Array& a, const Array& b) {
  constexpr std::int64_t kMostItems = 1 << 15;  // beyond, the time is the product's own
  if (a.ndim() != 1 || b.ndim() != 1 || a.dtype != b.dtype) return nullptr;
  std::int64_t n = a.shape[0];
  if (n == 0 || n > kMostItems || n != b.shape[0]) return nullptr;
  QuickLoop& quick = runtime.quick_loop(backend, id, a.dtype);
  if (!quick.known) [[unlikely]]
    prepare_quick(runtime, id, backend, a.dtype, quick);
  return quick.vectors ? &quick : nullptr;
}

void multiply_vectors(Runtime& runtime, OpId id, BackendId backend, std::span<const Operand> in,
                      std::span<const ir::Attr> attrs, Array& result) {
  const ir::Op& op = ir::op(id);
  static constexpr std::uint32_t kGroups[] = {1, 1};
  const ir::Type type{in[0]->dtype, op.has(ir::kScalarResult) ? Kind::Scalar : Kind::Array, {}};
  const Entry& entry = runtime.entry(backend, id);
  // Its place is here: a kernel that makes its own array makes all of a new one.
  result.storage = StoragePtr(Storage::allocate(static_cast<std::size_t>(ir::itemsize(type.dtype)), &runtime.charged_budget()));
  result.data = result.storage->data();
  result.dtype = type.dtype;
  KernelCall call{.runtime = runtime,
                  .op = op,
                  .backend = backend,
                  .in = in,
                  .groups = kGroups,
                  .attrs = attrs,
                  .types = std::span(&type, 1),
                  .out = std::span(&result, 1),
                  .provider = entry.provided_by,
                  .library = entry.library};
  entry.kernel(call);
  tell_of_conversions(runtime, op);
  result.backend = backend;
}

}  // namespace

bool quick_product(Runtime& runtime, OpId id, BackendId backend, std::span<const Value> operands, Value& result) {
  if (operands.size() < 2 || operands.size() > 3) return false;
  auto *a = operands[0].get_if<ArrayObject>(), *b = operands[1].get_if<ArrayObject>();
  if (!a || !b) return false;
  const QuickLoop* quick = quick_vectors(runtime, id, backend, a->array, b->array);
  if (!quick || operands.size() != (quick->by_axes ? 3u : 2u)) return false;
  if (quick->by_axes && !(operands[2].is_int() && operands[2].as_int() == 1)) return false;
  const Operand in[] = {{&a->array, Kind::Array}, {&b->array, Kind::Array}};
  const ir::Attr axes(std::int64_t{1});
  Array out;
  multiply_vectors(runtime, id, backend, in, quick->by_axes ? std::span(&axes, 1) : runtime.default_attrs(id), out);
  result = from_array(std::move(out), ir::op(id).has(ir::kScalarResult));
  return true;
}

bool quick_product(Runtime& runtime, OpId id, BackendId backend, std::span<const Operand> operands,
                   std::span<const ir::Attr> attrs, Array& result) {
  if (operands.size() != 2 || !operands[0].present() || !operands[1].present()) return false;
  const QuickLoop* quick = quick_vectors(runtime, id, backend, *operands[0], *operands[1]);
  if (!quick) return false;
  if (quick->by_axes) {
    auto* axes = attrs[0].get<std::int64_t>();
    if (!axes || *axes != 1) return false;
  }
  multiply_vectors(runtime, id, backend, operands, attrs, result);
  return true;
}

}  // namespace autoray::runtime
