#include "trace_arguments.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "script.h"

namespace autoray::tools {
namespace {

std::string trimmed(const std::string& text) {
  std::size_t begin = text.find_first_not_of(" \t"), end = text.find_last_not_of(" \t");
  return begin == std::string::npos ? std::string() : text.substr(begin, end + 1 - begin);
}

// float64[50,50]
bool parse_type(const std::string& text, std::string& dtype, std::vector<std::int64_t>& shape) {
  std::size_t bracket = text.find('[');
  if (bracket == 0 || bracket == std::string::npos || text.back() != ']') return false;
  dtype = text.substr(0, bracket);
  if (std::isdigit(static_cast<unsigned char>(dtype[0]))) return false;
  if (!std::all_of(dtype.begin(), dtype.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; })) return false;
  const char* p = text.c_str() + bracket + 1;
  while (*p != ']') {
    char* end = nullptr;
    long long n = std::strtoll(p, &end, 10);
    if (end == p || n < 0) return false;
    while (*end == ' ') ++end;
    if (*end != ',' && *end != ']') return false;
    shape.push_back(n);
    p = *end == ',' ? end + 1 : end;
  }
  return p + 1 == text.c_str() + text.size();
}

// The parts of a list at its own level; false when brackets or quotes do not close.
bool split_items(const std::string& inside, std::vector<std::string>& items) {
  int depth = 0;
  char quote = 0;
  std::string item;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    char c = inside[i];
    if (quote) {
      if (c == '\\' && i + 1 < inside.size()) item += inside[i++];
      if (inside[i] == quote && c != '\\') quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '[' || c == '(' || c == '{') {
      ++depth;
    } else if (c == ']' || c == ')' || c == '}') {
      if (--depth < 0) return false;
    } else if (c == ',' && depth == 0) {
      items.push_back(trimmed(item));
      item.clear();
      continue;
    }
    item += inside[i];
  }
  if (!trimmed(item).empty()) items.push_back(trimmed(item));
  return depth == 0 && !quote;
}

constexpr int kNesting = 20;

Value parse_value(Engine& engine, const std::string& text, const OfType& of_type, int depth = 0) {
  std::string dtype;
  std::vector<std::int64_t> shape;
  if (parse_type(text, dtype, shape)) return of_type(dtype, shape);
  bool list = text.size() > 1 && ((text.front() == '[' && text.back() == ']') || (text.front() == '(' && text.back() == ')'));
  std::vector<std::string> items;
  // A list with a type somewhere inside; other lists are literals.
  auto types = [](const std::string& t) {
    for (std::size_t at = t.find('['); at != std::string::npos; at = t.find('[', at + 1))
      if (at > 0 && (std::isalnum(static_cast<unsigned char>(t[at - 1])) || t[at - 1] == '_')) return true;
    return false;
  };
  if (list && depth < kNesting && types(text) && split_items(text.substr(1, text.size() - 2), items)) {
    std::vector<Value> values;
    for (const std::string& item : items) values.push_back(parse_value(engine, item, of_type, depth + 1));
    return engine.sequence(values, text.front() == '(');
  }
  return engine.literal(text);
}

}  // namespace

int parse_arguments(Engine& engine, const std::vector<std::string>& given, const OfType& of_type,
                    std::vector<Named>& arguments) {
  for (const std::string& text : given) {
    std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return usage_error("--arg takes NAME=VALUE, not '" + text + "'", "for example --arg 'X=float64[50,50]' --arg k=3");
    std::string name = trimmed(text.substr(0, equals)), value = trimmed(text.substr(equals + 1));
    if (std::any_of(arguments.begin(), arguments.end(), [&](const Named& n) { return n.name == name; }))
      return usage_error("--arg gives '" + name + "' twice");
    try {
      arguments.push_back({name, parse_value(engine, value, of_type)});
    } catch (const Error& error) {
      std::string message = error.diagnostic().message;
      return usage_error(
          "--arg " + name + ": " + message.substr(message.find(": ") == std::string::npos ? 0 : message.find(": ") + 2),
          "a type as float64[50,50], a list of types, or a literal");
    }
  }
  return kOk;
}

int trace_arguments(Engine& engine, const FunctionDescription& function, const std::vector<std::string>& given,
                    std::vector<Named>& arguments) {
  auto variable = [&](const std::string& dtype, const std::vector<std::int64_t>& shape) {
    return engine.variable(dtype, shape);
  };
  if (int status = parse_arguments(engine, given, variable, arguments)) return status;
  for (const Named& n : arguments)
    if (!has_parameter(function, n.name))
      return usage_error("'" + function.name + "' has no parameter '" + n.name + "'", neighbour(n.name, function.parameters));
  return check_given(function, arguments, "--arg 'NAME=float64[50,50]', or a literal");
}

}  // namespace autoray::tools
