// The one exception type of the inner layers: what a script sees as a Python exception. Kernels, rules and builtins throw it;
// the evaluator turns it into the script's exception and adds the place. Throwing costs about 2 us, so only failures throw.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace autoray::ir {

// Python's and numpy's exception classes that scripts can name, in an order where a base stands before what derives from it.
enum class ErrorClass : unsigned char {
#define ERROR_CLASS(name, base) name,
#include "ir/error_classes.def"
#undef ERROR_CLASS
};

std::string_view name(ErrorClass error_class);
std::optional<ErrorClass> find_error_class(std::string_view name);
// The class it derives from; BaseException is its own base.
ErrorClass base(ErrorClass error_class);
bool derives(ErrorClass error_class, ErrorClass ancestor);

class Error : public std::exception {
 public:
  Error(ErrorClass error_class, std::string message) : error_class_(error_class), message_(std::move(message)) {}

  // A four-digit code of error_codes.def, chosen where the class alone does not tell.
  Error& with_code(int code) {
    code_ = code;
    return *this;
  }
  // One sentence that tells what to do.
  Error& with_hint(std::string hint) {
    hint_ = std::move(hint);
    return *this;
  }
  // What each operand was ("float64 (2, 3)"), in operand order: the evaluator writes it under the operand's carets.
  Error& with_operands(std::vector<std::string> operands) {
    operands_ = std::move(operands);
    return *this;
  }

  // A recorded computation failed: the call stack that its operation was recorded with (a number of ir/graph/source_table.h).
  // Who knows where recording began says how many frames of it belong to what was recorded; else it is the innermost. The first
  // word stands.
  Error& with_source(std::uint32_t source) {
    if (!source_) source_ = source;
    return *this;
  }
  Error& with_source_frames(int frames) {
    if (!source_frames_ && frames > 0) source_frames_ = frames;
    return *this;
  }

  ErrorClass error_class() const { return error_class_; }
  const std::string& message() const { return message_; }
  int code() const { return code_; }
  const std::string& hint() const { return hint_; }
  const std::vector<std::string>& operands() const { return operands_; }
  std::uint32_t source() const { return source_; }  // 0: it failed where it was called
  int source_frames() const { return source_frames_ ? source_frames_ : 1; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  ErrorClass error_class_;
  int code_ = 0;
  int source_frames_ = 0;
  std::uint32_t source_ = 0;
  std::string message_;
  std::string hint_;
  std::vector<std::string> operands_;
};

}  // namespace autoray::ir
