#include "ir/graph/text.h"

#include <charconv>
#include <cmath>

namespace autoray::ir {
namespace {

std::string real_text(double v) {
  if (std::isnan(v)) return "float('nan')";
  if (std::isinf(v)) return v > 0 ? "float('inf')" : "float('-inf')";
  char text[32];
  auto end = std::to_chars(text, text + sizeof text, v).ptr;
  std::string s(text, end);
  if (s.find_first_of(".e") == std::string::npos) s += ".0";
  return s;
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    out += c;
  }
  return out + "'";
}

std::string part_text(const std::optional<std::int64_t>& part) { return part ? std::to_string(*part) : "None"; }

}  // namespace

std::string attr_text(const Attr& attr) {
  return std::visit(
      []<class T>(const T& v) -> std::string {
        if constexpr (std::is_same_v<T, std::monostate>) {
          return "None";
        } else if constexpr (std::is_same_v<T, bool>) {
          return v ? "True" : "False";
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
          return std::to_string(v);
        } else if constexpr (std::is_same_v<T, double>) {
          return real_text(v);
        } else if constexpr (std::is_same_v<T, std::complex<double>>) {
          return "complex(" + real_text(v.real()) + ", " + real_text(v.imag()) + ")";
        } else if constexpr (std::is_same_v<T, std::string>) {
          return quoted(v);
        } else if constexpr (std::is_same_v<T, DType>) {
          return quoted(std::string(name(v)));
        } else if constexpr (std::is_same_v<T, Dims>) {
          return to_string(std::span<const std::int64_t>(v));
        } else if constexpr (std::is_same_v<T, Attr::Tuple>) {
          std::string text = "(";
          for (std::size_t i = 0; i < v.size(); ++i) text += (i ? ", " : "") + attr_text(v[i]);
          return text + (v.size() == 1 ? ",)" : ")");
        } else if constexpr (std::is_same_v<T, Slice>) {
          return "slice(" + part_text(v.start) + ", " + part_text(v.stop) + ", " + part_text(v.step) + ")";
        } else if constexpr (std::is_same_v<T, Ellipsis>) {
          return "...";
        } else {
          return "operand " + std::to_string(v.operand);
        }
      },
      attr.value);
}

std::string index_text(const Attr::Tuple& index, const std::function<std::string(int)>& operand) {
  std::string text;
  for (std::size_t i = 0; i < index.size(); ++i) {
    if (i) text += ", ";
    if (auto* slice = index[i].get<Slice>()) {
      text += (slice->start ? std::to_string(*slice->start) : "") + ":" + (slice->stop ? std::to_string(*slice->stop) : "");
      if (slice->step) text += ":" + std::to_string(*slice->step);
    } else if (auto* ref = index[i].get<OperandRef>()) {
      text += operand(ref->operand);
    } else {
      text += attr_text(index[i]);
    }
  }
  return index.empty() ? "()" : text;
}

std::string place_text(const Attr::Tuple& path, std::string place, std::string_view module,
                       const std::function<std::string(Index)>& operand) {
  for (const Attr& step : path) {
    const auto& parts = *step.get<Attr::Tuple>();
    const std::string& view = *parts[0].get<std::string>();
    if (view == "getitem") {
      place += "[" + index_text(*parts[1].get<Attr::Tuple>(), [&](int o) { return operand(static_cast<Index>(o) + 2); }) + "]";
    } else {
      place = std::string(module) + view + "(" + place;
      for (std::size_t p = 1; p < parts.size(); ++p) place += ", " + attr_text(parts[p]);
      place += ")";
    }
  }
  return place;
}

std::string call_text(const Block& block, Index i, const std::function<std::string(Index)>& operand) {
  const BlockNode& n = block.nodes[i];
  if (n.kind == NodeKind::Project) return operand(0) + "[" + std::to_string(n.number) + "]";
  if (n.kind != NodeKind::Call) return std::string(block.label(i));
  const Op& row = op(n.op);
  std::vector<Attr> attrs = block.tables->attrs.attrs(n.attrs);
  if (n.op == OpId::GetItem)
    return operand(0) + "[" +
           index_text(*attrs[0].get<Attr::Tuple>(), [&](int k) { return operand(static_cast<Index>(k) + 1); }) + "]";
  if (n.op == OpId::SetItem)
    return "setitem(" + place_text(*attrs[0].get<Attr::Tuple>(), operand(0), "", operand) + ", " + operand(1) + ")";
  Signature signature = parse_op_signature(row);
  std::vector<std::uint32_t> groups = operand_groups(row, n.input_count - (row.has(kRandom) ? 2 : 0));
  std::string text = std::string(row.path) + "(";
  bool first = true, by_name = false;
  auto comma = [&] {
    if (!first) text += ", ";
    first = false;
  };
  std::size_t group = 0, attr = 0;
  Index at = 0;
  for (std::size_t p = 0; p < signature.parameters.size(); ++p) {
    const Parameter& parameter = signature.parameters[p];
    char letter = row.operands[p];
    bool variadic = parameter.kind == ParameterKind::VarPositional;
    by_name |= parameter.kind == ParameterKind::KeywordOnly;
    if (letter == 'S') {
      comma();
      std::string list;
      for (std::uint32_t k = 0; k < groups[group]; ++k) list += (k ? ", " : "") + operand(at++);
      ++group;
      text += variadic ? list : "[" + list + "]";
    } else if (letter == 'A' || letter == 'B' || letter == 'O') {
      ++group;
      Index k = at++;
      if (block.inputs(n)[k] == kNoIndex) {
        by_name = true;
        continue;
      }
      comma();
      if (by_name && parameter.kind != ParameterKind::PositionalOnly) text += std::string(parameter.name) + "=";
      text += operand(k);
    } else {
      const Attr& value = attrs[attr++];
      if (!parameter.required && value == parameter.default_value) {
        by_name = true;
        continue;
      }
      comma();
      if (by_name || (!parameter.required && parameter.kind != ParameterKind::PositionalOnly))
        text += std::string(parameter.name) + "=";
      text += attr_text(value);
    }
  }
  return text + ")";
}

std::string to_text(const Block& block) {
  std::vector<std::string> names = node_names(block);
  std::string out;
  for (Index i = 0; i < block.nodes.size(); ++i) {
    if (block.hidden(i)) continue;
    out += names[i] + " = " + call_text(block, i, [&](Index k) {
             Index input = block.inputs(i)[k];
             return input == kNoIndex ? std::string("None") : names[input];
           });
    out += "  # " + to_string(block.type(i)) + "\n";
  }
  return out;
}

}  // namespace autoray::ir
