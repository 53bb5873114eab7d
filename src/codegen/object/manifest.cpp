#include <nlohmann/json.hpp>

#include "codegen/object/formats.h"

namespace autoray::codegen::object {

std::string manifest(const Function& f, const Machine& machine, const About& about) {
  using nlohmann::ordered_json;
  ordered_json parameters = ordered_json::array();
  static constexpr const char* kPassing[] = {"input", "inout", "output", "value"};
  for (const Parameter& p : f.parameters) {
    ordered_json row = {{"name", p.name}, {"passing", kPassing[static_cast<int>(p.passing)]}, {"dtype", ir::name(p.dtype)}};
    row["shape"] = std::vector<std::int64_t>(p.shape.begin(), p.shape.end());
    ir::Dims strides = ir::contiguous_strides(p.shape, static_cast<std::int64_t>(ir::itemsize(p.dtype)));
    row["strides"] = std::vector<std::int64_t>(strides.begin(), strides.end());
    row["bytes"] = ir::element_count(p.shape) * static_cast<std::int64_t>(ir::itemsize(p.dtype));
    parameters.push_back(std::move(row));
  }
  ordered_json statics = ordered_json::object();
  for (const Static& s : f.statics) statics[s.name] = ordered_json::parse(s.value, nullptr, false);
  std::vector<std::string> symbols = undefined_symbols(object_code(f, machine));
  ordered_json json = {
      {"version", 1},
      {"autoray", about.version},
      {"script", about.script},
      {"function", f.script_name},
      {"symbol", f.name},
      {"triple", machine.triple},
      {"cpu", machine.level},
      {"llvm_cpu", machine.cpu},
      {"vector_bytes", machine.vector_bytes},
      {"parameters", std::move(parameters)},
      {"results", ordered_json::parse(f.results)},
      {"compiled_in", std::move(statics)},
      {"workspace_bytes", f.workspace_bytes},
      {"data_bytes", f.data.size()},
      {"kernels", f.kernels.size()},
      {"steps", f.steps.size()},
      {"flops", f.flops},
      {"bytes", f.bytes},
      {"symbols", std::move(symbols)},
      {"libraries", {"m"}},
      {"runtime_calls", ordered_json::array()},
  };
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace autoray::codegen::object
