// Native objects that take part in operators, comparisons and item assignment: dictionary views, deques, sort keys. The
// protocol asks them after Python's own types; false means "not supported", and the usual TypeError follows.
#pragma once

#include "frontend/protocol.h"

namespace autoray::frontend {

class NativeOperand : public runtime::NativeObject {
 public:
  // `reflected`: this object is the right operand.
  virtual bool compare(Runtime&, CompareOperator, const Value& other, bool reflected, Value& result);
  virtual bool binary(Runtime&, BinaryOperator, const Value& other, bool reflected, Value& result);
  virtual bool inplace_binary(Runtime&, BinaryOperator, const Value& other);
  virtual bool set_item(Runtime&, const Value& key, const Value& value);
  virtual bool delete_item(Runtime&, const Value& key);
  // The text inside other containers' too.
  virtual std::string text(Runtime&) const { return repr(); }
};

// Null for every other value.
inline NativeOperand* native_operand(const Value& v) {
  auto* native = v.get_if<runtime::NativeObject>();
  return native ? dynamic_cast<NativeOperand*>(native) : nullptr;
}

}  // namespace autoray::frontend
