#include "runtime/dispatch.h"
#include "runtime/elementwise/quick.h"

namespace autoray::runtime {

using ir::Kind;
using ir::OpId;

bool quick_product(Runtime& runtime, OpId id, BackendId backend, std::span<const Value> operands, Value& result) {
  constexpr std::int64_t kMostItems = 1 << 15;  // beyond, the time is the product's own
  if (operands.size() < 2 || operands.size() > 3) return false;
  auto *a = operands[0].get_if<ArrayObject>(), *b = operands[1].get_if<ArrayObject>();
  if (!a || !b || a->array.ndim() != 1 || b->array.ndim() != 1 || a->array.dtype != b->array.dtype) return false;
  std::int64_t n = a->array.shape[0];
  if (n == 0 || n > kMostItems || n != b->array.shape[0]) return false;
  QuickLoop& quick = runtime.quick_loop(backend, id, a->array.dtype);
  if (!quick.known) [[unlikely]]
    prepare_quick(runtime, id, backend, a->array.dtype, quick);
  if (!quick.vectors || operands.size() != (quick.by_axes ? 3u : 2u)) return false;
  if (quick.by_axes && !(operands[2].is_int() && operands[2].as_int() == 1)) return false;
  const ir::Op& op = ir::op(id);
  const Operand in[] = {{&a->array, Kind::Array}, {&b->array, Kind::Array}};
  static constexpr std::uint32_t kGroups[] = {1, 1};
  const ir::Attr axes(std::int64_t{1});
  const ir::Type type{a->array.dtype, op.has(ir::kScalarResult) ? Kind::Scalar : Kind::Array, {}};
  Array out;
  const Entry& entry = runtime.entry(backend, id);
  KernelCall call{.runtime = runtime,
                  .op = op,
                  .backend = backend,
                  .in = in,
                  .groups = kGroups,
                  .attrs = quick.by_axes ? std::span(&axes, 1) : runtime.default_attrs(id),
                  .types = std::span(&type, 1),
                  .out = std::span(&out, 1),
                  .provider = entry.provided_by,
                  .library = entry.library};
  entry.kernel(call);
  out.backend = backend;
  result = from_array(std::move(out), op.has(ir::kScalarResult));
  return true;
}

}  // namespace autoray::runtime
