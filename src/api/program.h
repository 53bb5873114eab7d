// What the files about programs and their compiled functions share.
#pragma once

#include "api/access.h"

namespace autoray {

struct Program::Impl {
  static detail::EngineState& engine(const Program& program);  // Error for an empty program
  static frontend::Interpreter& interpreter(const Program& program);
  static Value call(const Program& program, std::string_view function, std::span<const runtime::Value> positional,
                    std::span<const std::string_view> names, std::span<const runtime::Value> values);
  static Value call(const Program& program, std::string_view function, std::span<const runtime::Array* const> arguments);
  static std::vector<Array> arrays_of(const Value& result);
  // All or nothing: Error when they are not alike.
  static void copy_into(detail::EngineState& engine, Span<const Array> results, Span<const Array> outputs);
  // The name of the global variable that holds the compiled function.
  static std::string compiled(const Program& program, std::string_view function);
};

}  // namespace autoray
