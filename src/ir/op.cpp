#include "ir/op.h"

#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

#include "ir/rules.h"

namespace autoray::ir {

constexpr std::array<Op, kOpCount> kOps = {{
#define OP(id, path, signature, operands, op_class, shape_rule, dtype_rule, cost_rule, flags) \
  {OpId::id, path, signature, operands, OpClass::op_class, shape_rule, dtype_rule, cost_rule, flags},
#include "ir/ops.def"
#undef OP
}};

namespace {

constexpr Alias kAliases[] = {
#define OP(...)
#define ALIAS(name, id) {name, OpId::id, false},
#define TWIN(name, id) {name, OpId::id, true},
#include "ir/ops.def"
#undef OP
    {"", OpId::Count, false}};

// Eight bytes of a name, as many as there are from `at` on.
constexpr std::uint64_t word(std::string_view text, std::size_t at) {
  std::uint64_t bits = 0;
  if (!std::is_constant_evaluated() && at + 8 <= text.size()) {
    std::memcpy(&bits, text.data() + at, 8);
    return bits;
  }
  for (std::size_t i = 0; i < 8 && at + i < text.size(); ++i)
    bits |= std::uint64_t{static_cast<unsigned char>(text[at + i])} << 8 * i;
  return bits;
}

// The first and the last bytes of a name: all of it up to 16.
struct Words {
  std::uint64_t first, last;
  constexpr explicit Words(std::string_view text)
      : first(word(text, 0)), last(text.size() > 8 ? word(text, text.size() - 8) : text.size()) {}
  constexpr std::size_t hash() const {
    std::uint64_t h = (first ^ last * 0x9e3779b97f4a7c15ull) * 0xff51afd7ed558ccdull;
    return static_cast<std::size_t>(h ^ h >> 32);
  }
};

// Open addressing over all names, built by the compiler.
constexpr std::size_t kSlots = std::bit_ceil(static_cast<std::size_t>(3 * (kOpCount + std::size(kAliases))));
struct Slot {
  std::string_view name;  // empty: free
  Words words{{}};
  OpId id;
  bool is(std::string_view text, const Words& of) const {
    return name.size() == text.size() && words.first == of.first && words.last == of.last &&
           (text.size() <= 16 || name == text);
  }
};
constexpr auto kNames = [] {
  std::array<Slot, kSlots> table{};
  auto insert = [&](std::string_view name, OpId id) {
    Words words(name);
    std::size_t at = words.hash() & (kSlots - 1);
    while (!table[at].name.empty()) at = (at + 1) & (kSlots - 1);
    table[at] = {name, words, id};
  };
  for (const Op& op : kOps) insert(op.path, op.id);
  for (const Alias& alias : kAliases)
    if (alias.id != OpId::Count) insert(alias.name, alias.id);
  return table;
}();

}  // namespace

std::span<const Alias> aliases() { return {kAliases, std::size(kAliases) - 1}; }

OpId find_op(std::string_view path) {
  const Words words(path);
  for (std::size_t at = words.hash() & (kSlots - 1); !kNames[at].name.empty(); at = (at + 1) & (kSlots - 1))
    if (kNames[at].is(path, words)) return kNames[at].id;
  return OpId::Count;
}

Signature parse_op_signature(const Op& op) { return parse_signature(op.signature); }

std::vector<std::uint32_t> operand_groups(const Op& op, std::size_t operands) {
  std::vector<std::uint32_t> groups;
  std::size_t sequence = op.operands.size();
  for (char letter : op.operands) {
    if (letter == 'S') sequence = groups.size();
    if (letter == 'A' || letter == 'B' || letter == 'O' || letter == 'S') groups.push_back(1);
  }
  if (sequence < groups.size()) groups[sequence] = static_cast<std::uint32_t>(operands + 1 - groups.size());
  return groups;
}

void infer(Inference& inference) {
  const Op& op = inference.op;
  op.shape_rule(inference);
  if (op.has(kScalarResult))
    for (Type& result : inference.results) result.kind = result.shape.empty() ? Kind::Scalar : Kind::Array;
  if (op.dtype_rule) op.dtype_rule(inference);
}

}  // namespace autoray::ir
