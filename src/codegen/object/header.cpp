#include "codegen/object/formats.h"

namespace autoray::codegen::object {
namespace {

// Booleans are bytes, complex numbers pairs of reals, halves their bits.
struct CType {
  std::string_view name, note;
};
CType c_type(ir::DType dtype) {
  using ir::DType;
  switch (dtype) {
    case DType::Bool: return {"uint8_t", "bytes, 0 or 1"};
    case DType::Int8: return {"int8_t", ""};
    case DType::Int16: return {"int16_t", ""};
    case DType::Int32: return {"int32_t", ""};
    case DType::Int64: return {"int64_t", ""};
    case DType::UInt8: return {"uint8_t", ""};
    case DType::UInt16: return {"uint16_t", ""};
    case DType::UInt32: return {"uint32_t", ""};
    case DType::UInt64: return {"uint64_t", ""};
    case DType::Float16: return {"uint16_t", "IEEE halves as bits"};
    case DType::Float32: return {"float", ""};
    case DType::Complex64: return {"float", "pairs of real and imaginary part, as float _Complex"};
    case DType::Complex128: return {"double", "pairs of real and imaginary part, as double _Complex"};
    default: return {"double", ""};
  }
}

std::string type_text(const Parameter& p) {
  std::string text = std::string(ir::name(p.dtype)) + "[";
  for (std::size_t i = 0; i < p.shape.size(); ++i) text += (i ? "," : "") + std::to_string(p.shape[i]);
  return text + "]";
}

std::string declaration(const Parameter& p) {
  std::string type(c_type(p.dtype).name);
  if (p.passing == Passing::Value) return type + " " + p.name;
  return (p.passing == Passing::In ? "const " : "") + type + "* " + p.name;
}

}  // namespace

std::string c_header(const Function& f, const Machine& machine, const About& about) {
  std::string guard = "AUTORAY_" + f.name + "_H";
  for (char& c : guard) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  // A comment in a comment would end it.
  std::string script = about.script;
  for (char& c : script)
    if (c == '*' || static_cast<unsigned char>(c) < 0x20) c = '_';
  std::string text = "/* " + f.script_name + "() of " + script + ", compiled by autoray " + about.version + " for " +
                     machine.level + (machine.level == machine.cpu ? "" : " (" + machine.cpu + ")") + ", " + machine.triple +
                     ".\n   Link with -lm. */\n#ifndef " + guard + "\n#define " + guard +
                     "\n\n#include <stddef.h>\n#include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  text += "/* Bytes that `workspace` has, aligned as malloc aligns; 0: it may be a null pointer. */\n#define " + f.name +
          "_workspace " + std::to_string(f.workspace_bytes) + "\nsize_t " + f.name + "_workspace_size(void);\n\n";
  text += "/* Arrays are dense, the last axis fastest.\n";
  static constexpr std::string_view kHow[] = {"read", "read and written", "result", "by value"};
  for (const Parameter& p : f.parameters) {
    std::string_view note = c_type(p.dtype).note;
    std::string how(kHow[static_cast<int>(p.passing)]);
    text += "   " + p.name + ": " + (p.passing == Passing::Value ? "float64" : type_text(p)) + ", " + how +
            (note.empty() ? "" : "; " + std::string(note)) + "\n";
  }
  for (const Static& s : f.statics) {
    std::string value = s.value;
    for (std::size_t at; (at = value.find("*/")) != std::string::npos;) value.replace(at, 2, "* /");
    text += "   compiled in: " + s.name + " = " + value + "\n";
  }
  text +=
      "   Results and what is written share no memory with other arrays. Calls from several threads need a workspace each.\n"
      "   Returns 0; anything else: an index was out of bounds, and results are not complete. */\n";
  text += "int32_t " + f.name + "(";
  for (const Parameter& p : f.parameters) text += declaration(p) + ", ";
  text += "void* workspace);\n\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
  return text;
}

}  // namespace autoray::codegen::object
