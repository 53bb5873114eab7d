// Ahead-of-time compilation: a script's function as an object that needs libc and libm alone.
//
//   autoray::ObjectCode f = program.compile("step", {{"u", engine.variable("float64", {64})}});
//   std::string object = f.write("o"), header = f.header();
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "autoray/export.h"

namespace autoray {

namespace detail {
struct ObjectState;
}

struct ObjectOptions {
  std::string cpu = "native";  // or x86-64-v2, x86-64-v3, x86-64-v4
  std::string triple = {};     // empty, or the host's
  std::string symbol = {};     // the entry's name in C; empty: the function's
};

struct ObjectFormat {
  std::string ending, summary;  // "o", "an object"
  bool binary = true;
};
AUTORAY_API std::vector<ObjectFormat> object_formats();
AUTORAY_API std::vector<std::string> object_cpus();
// Throws Error (status 2) for a CPU or triple that nothing can be compiled for.
AUTORAY_API void check(const ObjectOptions& options);

// `int32_t f(arguments, results, void* workspace)`: the header says which pointers it takes, and how many bytes of workspace.
class AUTORAY_API ObjectCode {
 public:
  // The bytes of a file with that ending. Throws Error (status 2) for an ending that is none of object_formats().
  std::string write(std::string_view ending) const;
  std::string header() const;    // C99 and C++
  std::string manifest() const;  // JSON
  std::int64_t workspace_bytes() const;
  // What was compiled in although it was given as a value of the run: the trace needed to know it.
  std::vector<std::string> notes() const;

 private:
  friend class Program;
  std::shared_ptr<const detail::ObjectState> state_;
};

}  // namespace autoray
