#include "ir/signature.h"

#include <algorithm>
#include <charconv>

#include "ir/error.h"

namespace autoray::ir {
namespace {

[[noreturn]] void malformed(std::string_view text) {
  throw Error(ErrorClass::SystemError, "malformed signature in the op table: " + std::string(text));
}

std::string_view strip(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Splits at commas outside brackets and quotes.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == ',' && depth == 0 && !quoted)) {
      std::string_view part = strip(text.substr(begin, i - begin));
      // "(2,)" ends in a comma; elsewhere nothing between two of them is a mistake, which the caller sees.
      if (!part.empty() || i < text.size()) parts.push_back(part);
      begin = i + 1;
      continue;
    }
    if (text[i] == '\'') quoted = !quoted;
    if (quoted) continue;
    if (text[i] == '(' || text[i] == '[') ++depth;
    if (text[i] == ')' || text[i] == ']') --depth;
  }
  return parts;
}

Attr parse_default(std::string_view text) {
  if (text.empty()) malformed(text);
  if (text == "None") return {};
  if (text == "True") return true;
  if (text == "False") return false;
  if (text == "<no value>") return Ellipsis{};  // numpy's own mark where None means something else
  if (text.size() >= 2 && text.front() == '\'') return std::string(text.substr(1, text.size() - 2));
  if (text.front() == '(') {
    Dims dims;
    for (std::string_view item : split(text.substr(1, text.size() - 2))) {
      std::int64_t value = 0;
      if (std::from_chars(item.data(), item.data() + item.size(), value).ptr != item.data() + item.size()) malformed(text);
      dims.push_back(value);
    }
    return dims;
  }
  std::int64_t integer = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), integer).ptr == text.data() + text.size()) return integer;
  double real = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), real).ptr == text.data() + text.size()) return real;
  if (auto dtype = parse_dtype(text)) return *dtype;
  malformed(text);
}

}  // namespace

int Signature::index_of(std::string_view parameter) const {
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (parameters[i].name == parameter) return static_cast<int>(i);
  return -1;
}

Signature parse_signature(std::string_view text) {
  Signature signature;
  ParameterKind kind = ParameterKind::Positional;
  for (std::string_view part : split(text)) {
    if (part == "/") {
      for (Parameter& before : signature.parameters) before.kind = ParameterKind::PositionalOnly;
      continue;
    }
    if (part == "*") {
      kind = ParameterKind::KeywordOnly;
      continue;
    }
    Parameter parameter;
    if (part.starts_with("**")) {
      parameter = {part.substr(2), ParameterKind::VarKeyword, false, {}, {}};
      signature.var_keyword = static_cast<int>(signature.parameters.size());
    } else if (part.starts_with("*")) {
      parameter = {part.substr(1), ParameterKind::VarPositional, false, {}, {}};
      signature.var_positional = static_cast<int>(signature.parameters.size());
      kind = ParameterKind::KeywordOnly;
    } else {
      std::size_t equals = part.find('=');
      parameter.kind = kind;
      parameter.name = strip(part.substr(0, equals));
      bool is_name = !parameter.name.empty() && std::ranges::all_of(parameter.name, [](char c) {
        return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      });
      if (!is_name) malformed(text);
      if (equals != std::string_view::npos) {
        parameter.required = false;
        parameter.default_text = strip(part.substr(equals + 1));
        parameter.default_value = parse_default(parameter.default_text);
      }
      if (kind == ParameterKind::Positional) ++signature.positional_count;
    }
    signature.parameters.push_back(parameter);
  }
  return signature;
}

}  // namespace autoray::ir
