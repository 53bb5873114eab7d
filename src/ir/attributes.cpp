#include "ir/attributes.h"

#include <array>

#include "ir/error.h"

namespace autoray::ir {
namespace {

struct Row {
  std::string_view signature, operands;
};
constexpr Row kRows[] = {
#define OP(id, path, signature, operands, ...) {signature, operands},
#include "ir/ops.def"
#undef OP
};

// Calls visit(name) for each attribute of the row's signature text.
template <class Visit>
constexpr void for_each_attribute(const Row& row, Visit visit) {
  std::string_view text = row.signature;
  std::size_t letter = 0;
  for (std::size_t i = 0; i < text.size();) {
    while (i < text.size() && (text[i] == ' ' || text[i] == ',')) ++i;
    if (i >= text.size()) break;
    std::size_t begin = i;
    int depth = 0;
    bool quoted = false;
    for (; i < text.size() && (depth || quoted || text[i] != ','); ++i) {
      if (text[i] == '\'') quoted = !quoted;
      if (text[i] == '(') ++depth;
      if (text[i] == ')') --depth;
    }
    std::string_view part = text.substr(begin, i - begin);
    if (part == "/" || part == "*") continue;
    while (part[0] == '*') part.remove_prefix(1);
    if (std::string_view("ABOS").find(row.operands[letter++]) == std::string_view::npos) visit(part.substr(0, part.find('=')));
  }
}

constexpr std::size_t kNameCount = [] {
  std::size_t count = 0;
  for (const Row& row : kRows) for_each_attribute(row, [&](std::string_view) { ++count; });
  return count;
}();
struct Table {
  std::array<std::string_view, kNameCount> names;
  std::array<std::uint16_t, kOpCount + 1> first;
};
constexpr Table kTable = [] {
  Table table{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < kOpCount; ++i) {
    for_each_attribute(kRows[i], [&](std::string_view name) { table.names[at++] = name; });
    table.first[i + 1] = static_cast<std::uint16_t>(at);
  }
  return table;
}();

}  // namespace

std::span<const std::string_view> attribute_names(OpId id) {
  auto i = static_cast<std::size_t>(id);
  return std::span(kTable.names).subspan(kTable.first[i], kTable.first[i + 1] - kTable.first[i]);
}

const Attr& attribute(const Op& op, std::span<const Attr> attrs, std::string_view name) {
  std::span<const std::string_view> names = attribute_names(op.id);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return attrs[i];
  throw Error(ErrorClass::SystemError, "op table: '" + std::string(op.path) + "' has no attribute '" + std::string(name) + "'");
}
const Attr& attribute(const Inference& inference, std::string_view name) {
  return attribute(inference.op, inference.attrs, name);
}

}  // namespace autoray::ir
