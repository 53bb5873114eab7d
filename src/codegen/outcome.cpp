#include "codegen/outcome.h"

#include <cmath>

#include "ir/op.h"
#include "runtime/convert.h"

namespace autoray::codegen {

using ir::DType;
using runtime::Array;

namespace {

// What is warned of in the meantime is told by whoever runs the call.
class Unheard {
 public:
  explicit Unheard(runtime::Runtime& runtime)
      : runtime_(runtime), on_warning_(std::move(runtime.on_warning)), on_explain_(std::move(runtime.on_explain)) {
    runtime.on_warning = [this](ir::ErrorClass, const std::string&) { warned = true; };
    runtime.on_explain = nullptr;
    runtime.clear_fp();
  }
  ~Unheard() {
    runtime_.on_warning = std::move(on_warning_);
    runtime_.on_explain = std::move(on_explain_);
    runtime_.clear_fp();
  }
  Unheard(const Unheard&) = delete;
  bool warned = false;

 private:
  runtime::Runtime& runtime_;
  decltype(runtime::Runtime::on_warning) on_warning_;
  decltype(runtime::Runtime::on_explain) on_explain_;
};

// Of all its elements; nothing where they differ, or where float64 does not hold it.
std::optional<double> only_value(const Array& array) {
  if (array.size() == 0 || ir::is_complex(array.dtype)) return std::nullopt;
  std::optional<double> first;
  for (std::int64_t i = 0; i < array.size(); ++i) {
    double value;
    std::int64_t size = array.itemsize();
    runtime::cast_loop(array.dtype, DType::Float64)(array.data + i * size, 0, reinterpret_cast<char*>(&value), 0, 1);
    bool same = !first || (value == *first && std::signbit(value) == std::signbit(*first));
    if (!same || std::isnan(value) || (ir::is_integer(array.dtype) && std::fabs(value) > 0x1p53)) return std::nullopt;
    first = value;
  }
  return first;
}

}  // namespace

Outcome outcome_of(runtime::Runtime& runtime, const ir::BlockNode& node, std::span<const ir::Attr> attrs,
                   std::span<const ir::Type> types, std::span<const runtime::Operand> operands) {
  const ir::Op& op = ir::op(node.op);
  const runtime::Entry& entry = runtime.entry(node.backend, node.op);
  if (!entry.kernel || types.size() != 1 || op.has(ir::kRandom)) return {};
  std::vector<std::uint32_t> groups = ir::operand_groups(op, operands.size());
  Array out[1];
  runtime::KernelCall call{.runtime = runtime,
                           .op = op,
                           .backend = node.backend,
                           .in = operands,
                           .groups = groups,
                           .attrs = attrs,
                           .types = types,
                           .out = out,
                           .provider = entry.provided_by,
                           .library = entry.library};
  Unheard unheard(runtime);
  try {
    entry.kernel(call);
  } catch (const ir::Error& error) {
    // What stops a script, and floating-point events that it asks to be errors, are no property of the call.
    bool own = error.error_class() != ir::ErrorClass::FloatingPointError && (error.code() < 700 || error.code() > 705);
    if (!own || unheard.warned) return {};
    return {.error = std::make_shared<const ir::Error>(error)};
  }
  if (unheard.warned) return {};
  return {.result = true, .value = only_value(runtime::contiguous(runtime, out[0], types[0].dtype))};
}

}  // namespace autoray::codegen
