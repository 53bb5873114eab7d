// Costs of products: a multiplication and an addition for every term.
#include <algorithm>

#include "ir/rules/contract.h"

namespace autoray::ir {

Cost cost_contract(const Inference& inference) {
  double out = static_cast<double>(element_count(inference.results[0].shape)), terms = 1;
  double bytes = out * static_cast<double>(itemsize(inference.results[0].dtype));
  for (const OperandType& operand : inference.in)
    if (operand.present())
      bytes += static_cast<double>(element_count(operand.type->shape)) * static_cast<double>(itemsize(operand.type->dtype));
  if (inference.op.id == OpId::Einsum) {
    std::vector<Dims> shapes;
    for (const OperandType& operand : inference.in) shapes.push_back(operand.type->shape);
    Einsum e = parse_einsum(as_string(inference.attrs[0], "subscripts"), shapes);
    Dims seen = e.output;
    for (const Dims& labels : e.inputs)
      for (std::int64_t label : labels)
        if (std::find(seen.begin(), seen.end(), label) == seen.end()) {
          seen.push_back(label);
          terms *= static_cast<double>(e.extent(label));
        }
  } else {
    // Every term of a product pairs one element of a with one of b: the summed extent follows from the sizes of a, b and the
    // result.
    double a = static_cast<double>(element_count(inference.type(0).shape));
    const Dims& b = inference.in.size() > 1 && inference.in[1].present() ? inference.type(1).shape : inference.type(0).shape;
    switch (inference.op.id) {
      case OpId::Tensordot:
      case OpId::LinalgTensordot:
        for (std::int64_t axis : tensordot_axes(inference.attrs[0], inference.type(0).shape, b).a)
          terms *= static_cast<double>(inference.type(0).shape[static_cast<std::size_t>(axis)]);
        break;
      case OpId::Vdot: terms = a; break;
      case OpId::Matmul:
      case OpId::LinalgMatmul:
      case OpId::Dot:
      case OpId::Inner:
        terms = inference.type(0).shape.empty() || b.empty() ? 1 : static_cast<double>(inference.type(0).shape.back());
        break;
      case OpId::Cov:
        terms =
            out > 0
                ? a / std::max(1.0, static_cast<double>(inference.results[0].shape.empty() ? 1 : inference.results[0].shape[0]))
                : 0;
        break;
      default: break;
    }
  }
  return {2 * out * terms, bytes};
}

}  // namespace autoray::ir
