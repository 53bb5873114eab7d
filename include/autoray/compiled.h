// A script's function as native code, for many calls: what it costs beyond the arithmetic is the arrays of the results.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "autoray/array.h"
#include "autoray/export.h"
#include "autoray/span.h"

namespace autoray {

namespace detail {
struct CompiledState;
}

// By Program::jit. The first call with arguments of a kind (number, dtypes, shapes, strides, which of them are one array)
// traces and compiles; later ones are compared with what is compiled and run it. Copies share what is compiled. A script's
// function as it stood when the handle was made; it keeps its Engine.
//
// Any thread may call it, at any time: calls that are compiled run beside each other, those that compile, write arguments in
// place, or need the runtime (linear algebra, large products) take turns with what else the Engine does. An argument that a
// call writes belongs to that call alone.
class AUTORAY_API CompiledFunction {
 public:
  CompiledFunction() = default;
  bool empty() const { return !state_; }

  // f(x, y): the one array that the function returns. Throws Error: what the script raises, and TypeError when it returns more.
  template <class... Arrays>
  Array operator()(const Arrays&... arguments) const {
    const Array* list[sizeof...(arguments) + 1] = {&static_cast<const Array&>(arguments)...};
    return call_one(list, sizeof...(arguments));
  }
  // The arrays that it returns: one, or those of a tuple or list.
  std::vector<Array> call(Span<const Array> arguments) const;
  // Into arrays of the caller's, in the order of the results. Nothing is allocated, and nothing copied, when the outputs are
  // in C order and overlap with nothing, and the results are arrays of their own (no views of arguments or of each other).
  // Throws Error (ValueError, TypeError) when their number, shapes or dtypes are not the results'. Whenever it throws, they are
  // untouched; but Engine::request_stop may leave a part computed.
  void into(Span<const Array> outputs, Span<const Array> arguments) const;

 private:
  friend class Program;
  Array call_one(const Array* const* arguments, std::size_t count) const;
  std::shared_ptr<const detail::CompiledState> state_;
};

}  // namespace autoray
