#include "codegen/kernel.h"

namespace autoray::codegen {
namespace {

struct Row {
  std::string_view name;
  int operands;
};
constexpr Row kRows[] = {
#define PRIM(name, operands) {#name, operands},
#include "codegen/primitives.def"
#undef PRIM
};

void put(std::string& text, std::int64_t number) { text += std::to_string(number); }
void put(std::string& text, const Number& number) {
  if (!number.constant) text += 'a';
  put(text, number.value);
}
void put(std::string& text, const Access& access) {
  if (access.buffer != kNoBuffer) {
    text += 'b';
    put(text, access.buffer);
  }
  if (access.part) text += ".im";
  text += '[';
  for (std::size_t i = 0; i < access.strides.size(); ++i) {
    if (i) text += ',';
    put(text, access.strides[i]);
  }
  text += access.fresh ? "]fresh" : "]";
  if (access.newest != kNoRegister) {
    text += "...r";
    put(text, access.newest);
  }
}

}  // namespace

std::string_view name(Prim prim) { return kRows[static_cast<std::size_t>(prim)].name; }
int operand_count(Prim prim) { return kRows[static_cast<std::size_t>(prim)].operands; }

std::string library_symbol(LibraryFunction function, bool single) {
  static constexpr std::string_view kNames[] = {"hypot", "fmod"};
  return std::string(kNames[static_cast<std::size_t>(function)]) + (single ? "f" : "");
}

std::size_t KernelHash::operator()(const Kernel& kernel) const {
  std::uint64_t h = kernel.arguments | std::uint64_t{kernel.turns.has_value()} << 16;
  auto mix = [&](std::uint64_t value) { h = (h ^ value) * 0x9e3779b97f4a7c15ull, h ^= h >> 29; };
  for (ir::DType dtype : kernel.buffers) mix(static_cast<std::uint64_t>(dtype));
  for (const Nest& nest : kernel.nests) {
    mix(nest.body.size() << 10 | nest.stores.size() << 2 | std::uint64_t{nest.streams} << 1 | std::uint64_t{nest.in_turn});
    for (const Instr& i : nest.body)
      mix(static_cast<std::uint64_t>(i.prim) << 32 | static_cast<std::uint64_t>(i.a) << 16 | static_cast<std::uint64_t>(i.b));
  }
  return h;
}

std::string Kernel::text() const {
  std::string text = "kernel 2";
  text.reserve(512);
  for (ir::DType dtype : buffers) text.append(" ").append(ir::name(dtype));
  text += '\n';
  if (turns) {
    text += "turns ";
    put(text, turns->count);
    for (const Number& growth : turns->growth) {
      text += ' ';
      put(text, growth);
    }
    text += '\n';
  }
  for (const Nest& nest : nests) {
    text += nest.streams ? "for streamed" : nest.in_turn ? "for in turn" : "for";
    for (const Number& extent : nest.extents) {
      text += ' ';
      put(text, extent);
    }
    text += '\n';
    for (std::size_t i = 0; i < nest.body.size(); ++i) {
      const Instr& instr = nest.body[i];
      text += ' ';
      put(text, static_cast<std::int64_t>(i));
      text.append(":").append(ir::name(instr.dtype)).append(" ").append(name(instr.prim));
      for (ValueId operand : {instr.a, instr.b, instr.c, instr.d}) {
        if (operand == kNoValue) break;
        text += ' ';
        put(text, operand);
      }
      if (instr.prim == Prim::Load || instr.prim == Prim::Index || instr.prim == Prim::Gather) {
        text += ' ';
        put(text, nest.loads[static_cast<std::size_t>(instr.immediate)]);
      } else if (instr.prim == Prim::Register || instr.prim == Prim::Constant || instr.prim == Prim::Function ||
                 instr.prim == Prim::Library || instr.prim == Prim::Complex || instr.prim == Prim::Check) {
        text += " #";
        put(text, instr.immediate);
      }
      text += '\n';
    }
    if (nest.folds) {
      static constexpr std::string_view kOrders[] = {"pairwise", "sequential", "any"};
      text.append(nest.scans ? " scan " : " fold ")
          .append(name(nest.fold))
          .append(" ")
          .append(kOrders[static_cast<int>(nest.order)])
          .append(" ");
      put(text, nest.folded);
      text += nest.one_block ? " of one block\n" : "\n";
    }
    for (const Store& store : nest.stores) {
      text += ' ';
      put(text, store.to);
      if (store.offset != kNoValue) {
        text += '+';
        put(text, store.offset);
      }
      text += " = ";
      put(text, store.value == kNoValue ? -1 : store.value);
      text += '\n';
    }
    for (auto [value, number] : nest.registers) {
      text += " r";
      put(text, number);
      text += " = ";
      put(text, value == kNoValue ? -1 : value);
      text += '\n';
    }
  }
  return text;
}

}  // namespace autoray::codegen
