// A compiled script function as C sees it: its parameters, its data, and its steps over kernels, with nothing left that needs a
// runtime. What every writer of an object, a header or a source starts from.
#pragma once

#include <string>
#include <vector>

#include "codegen/kernel.h"
#include "codegen/specialisation.h"

namespace autoray::codegen::object {

enum class Passing : std::uint8_t {
  In,     // const T*
  InOut,  // T*: an argument that the function writes
  Out,    // T*: a result
  Value,  // double: a Python float
};

// Arrays are dense in C order.
struct Parameter {
  std::string name;
  Passing passing;
  ir::DType dtype;
  ir::Dims shape;
};

// What a step's buffer starts from: the caller's workspace, the object's own data, or a parameter (kFirstParameter + number).
using Base = std::uint16_t;
inline constexpr Base kWorkspace = 0, kData = 1, kFirstParameter = 2;

struct Buffer {
  Base base;
  std::int64_t offset;  // bytes
};

struct Step {
  std::uint32_t kernel;
  std::uint32_t first_buffer, first_number;  // in Function::buffers and numbers, as many as the kernel has
};

struct Static {
  std::string name, value;
};

struct Function {
  std::string name;         // of the entry: a C identifier
  std::string script_name;  // of the function in the script
  std::vector<Parameter> parameters;
  std::string results;  // JSON: the result's containers with the parameters' names as leaves
  std::vector<Static> statics;
  bool floats_compiled_in = false;
  std::vector<Kernel> kernels;
  std::vector<Step> steps;
  std::vector<Buffer> buffers;
  std::vector<std::int64_t> numbers;
  std::vector<char> data;  // read-only: captured arrays and numbers
  std::int64_t workspace_bytes = 0;
  double flops = 0, bytes = 0;
};

inline constexpr std::int64_t kAlignment = 64;  // of the data and of everything in the workspace, from its beginning

// `names` and `values`: the call's keyword arguments, for which `spec` was made with JitBackend::Object. Every call of the
// runtime is an error that the caller has told already. Throws ir::Error NotImplementedError where a result is no number or
// array.
Function make_function(runtime::Runtime& runtime, const std::string& name, std::span<const std::string_view> names,
                       std::span<const runtime::Value> values, const Specialisation& spec);

// `name` as a C identifier that is no keyword of C or C++.
std::string c_identifier(std::string_view name);

}  // namespace autoray::codegen::object
