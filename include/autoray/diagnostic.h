// Errors as data: what, where, and what to do about it.
#pragma once

#include <exception>
#include <string>
#include <vector>

#include "autoray/export.h"

namespace autoray {

struct Diagnostic {
  std::string code;     // "E0401"
  std::string message;  // "ValueError: operands could not be broadcast together with shapes (3,) (4,)"
  std::string file;
  int line = 0, column = 0;  // from 1; 0: no place
  std::string hint;
  std::string rendered;  // as the command line prints it, without colour
  std::string rendered_colour;
  std::string json;
  int status = 1;  // the exit status of the command line: 1 script failed, 3 parse or type error, 5 limit, 130 interrupted
};

// The one exception type of the public API.
class AUTORAY_API Error : public std::exception {
 public:
  explicit Error(Diagnostic diagnostic) : diagnostic_(std::move(diagnostic)) {}
  const char* what() const noexcept override { return diagnostic_.message.c_str(); }
  const Diagnostic& diagnostic() const { return diagnostic_; }

 private:
  Diagnostic diagnostic_;
};

}  // namespace autoray
