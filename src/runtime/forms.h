// Other forms in which numpy takes an op's arguments, brought to the signature's form before binding, so that dispatch,
// recording and kernels know one: where(condition) is nonzero(condition); einsum(a, [0, 1], b, [1, 2], [0, 2]) is
// einsum('ab,bc->ac', a, b).
#pragma once

#include <vector>

#include "ir/op.h"
#include "runtime/objects.h"

namespace autoray::runtime {

class Runtime;

struct CanonicalForm {
  ir::OpId id;
  Arguments arguments;
  std::vector<Value> positional;  // what `arguments` refers to when the form changed
};
// For ops with kForms.
CanonicalForm canonical_form(Runtime& runtime, ir::OpId id, const Arguments& arguments);

}  // namespace autoray::runtime
