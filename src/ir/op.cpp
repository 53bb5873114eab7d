#include "ir/op.h"

#include <array>
#include <bit>

#include "ir/rules.h"

namespace autoray::ir {
namespace {

constexpr std::array<Op, kOpCount> kOps = {{
#define OP(id, path, signature, operands, op_class, shape_rule, dtype_rule, cost_rule, flags) \
  {OpId::id, path, signature, operands, OpClass::op_class, shape_rule, dtype_rule, cost_rule, flags},
#include "ir/ops.def"
#undef OP
}};

constexpr Alias kAliases[] = {
#define OP(...)
#define ALIAS(name, id) {name, OpId::id, false},
#define TWIN(name, id) {name, OpId::id, true},
#include "ir/ops.def"
#undef OP
    {"", OpId::Count, false}};

constexpr std::uint32_t hash(std::string_view text) {
  std::uint32_t h = 2166136261u;
  for (char c : text) h = (h ^ static_cast<unsigned char>(c)) * 16777619u;
  return h;
}

// Open addressing over all names, built by the compiler.
constexpr std::size_t kSlots = std::bit_ceil(static_cast<std::size_t>(3 * (kOpCount + std::size(kAliases))));
struct Slot {
  std::string_view name;  // empty: free
  OpId id;
};
constexpr auto kNames = [] {
  std::array<Slot, kSlots> table{};
  auto insert = [&](std::string_view name, OpId id) {
    std::size_t at = hash(name) & (kSlots - 1);
    while (!table[at].name.empty()) at = (at + 1) & (kSlots - 1);
    table[at] = {name, id};
  };
  for (const Op& op : kOps) insert(op.path, op.id);
  for (const Alias& alias : kAliases)
    if (alias.id != OpId::Count) insert(alias.name, alias.id);
  return table;
}();

}  // namespace

const Op& op(OpId id) { return kOps[static_cast<std::size_t>(id)]; }
std::span<const Op> all_ops() { return kOps; }
std::span<const Alias> aliases() { return {kAliases, std::size(kAliases) - 1}; }

OpId find_op(std::string_view path) {
  for (std::size_t at = hash(path) & (kSlots - 1); !kNames[at].name.empty(); at = (at + 1) & (kSlots - 1))
    if (kNames[at].name == path) return kNames[at].id;
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
