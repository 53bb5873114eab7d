// The body of a nest under construction.
#pragma once

#include <span>

#include "codegen/kernel.h"

namespace autoray::codegen {

// What a node is at one point: a value, or the two parts of a complex number.
struct Parts {
  ValueId re = kNoValue, im = kNoValue;
  ValueId operator[](int part) const { return part ? im : re; }
  bool present() const { return re != kNoValue; }
  bool complex() const { return im != kNoValue; }
};

class Body {
 public:
  explicit Body(Nest& nest) : nest_(nest) {}
  ValueId emit(Prim prim, ir::DType dtype, ValueId a = kNoValue, ValueId b = kNoValue, ValueId c = kNoValue,
               std::int64_t immediate = 0, ValueId d = kNoValue);
  ValueId real(ir::DType dtype, double value);
  ValueId integer(ir::DType dtype, std::int64_t value);
  ValueId cast(ValueId value, ir::DType dtype);
  // To a dtype that may be complex. Of a complex number to bool: whether a part is not zero; to another real dtype: its real
  // part.
  Parts cast(Parts value, ir::DType dtype);
  ir::DType dtype(ValueId value) const { return nest_.body[value].dtype; }
  std::size_t size() const { return nest_.body.size(); }

 private:
  Nest& nest_;
};

}  // namespace autoray::codegen
