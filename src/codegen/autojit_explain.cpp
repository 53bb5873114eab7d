// What --explain says of a call: how it runs, and where something is compiled, why.
#include <algorithm>

#include "codegen/autojit.h"
#include "codegen/call_key.h"
#include "codegen/specialisation.h"
#include "runtime/dispatch.h"

namespace autoray::codegen {

using runtime::Runtime;

void AutoJit::explain_new(Runtime& runtime, const Reading& reading, const std::vector<std::string>& parts,
                          const Specialisation& spec, const Specialisation* before) const {
  if (!spec.plain.empty()) return explain(runtime, reading, parts, "plain call", spec.plain);
  std::string why = "compiled";
  if (before && !before->captured_values.empty()) {
    std::vector<CapturedValue> now = describe_captured(before->places);
    for (std::size_t i = 0; i < now.size(); ++i) {
      const CapturedValue& then = before->captured_values[i];
      if (then.key == now[i].key) continue;
      bool alike = then.text == now[i].text;
      why += ": '" + before->places[i].name + "' " +
             (alike ? "is another " + now[i].text : "was " + then.text + ", is " + now[i].text);
      break;
    }
  } else if (!last_parts_.empty()) {
    std::string differs;
    for (std::size_t i = 0; i < std::max(parts.size(), last_parts_.size()); ++i) {
      std::string then = i < last_parts_.size() ? last_parts_[i] : "nothing", now = i < parts.size() ? parts[i] : "nothing";
      if (then == now) continue;
      differs = "argument " + std::to_string(i) + " was " + then + ", is " + now;
      break;
    }
    why += differs.empty() ? ": another key" : ": " + differs;
  }
  explain(runtime, reading, parts, why, spec.note);
}

void AutoJit::explain(Runtime& runtime, const Reading& reading, const std::vector<std::string>& parts, const std::string& what,
                      const std::string& how) const {
  std::string operands;
  for (const std::string& p : parts) operands += (operands.empty() ? "" : ", ") + p;
  runtime.on_explain({"autojit " + name_, operands, reading.backend == JitBackend::Native ? "native" : "plan", how, what});
}

}  // namespace autoray::codegen
