// Kernel IR: what one generated function does. A kernel is a list of loop nests over typed buffers; each point of a nest
// evaluates a short list of scalar instructions (SSA, over a closed set of primitives) on what it loads, and stores values or
// folds them.
//
// A kernel has no names and no addresses: buffers are numbers, extents and strides are constants or numbers of arguments. Its
// text is its identity, so one compile serves every place that computes the same. Values are real or boolean; a complex number
// is a pair of them, and a part of it in memory is an access of its own. All extents are positive: nothing is generated for
// arrays without elements. Indices are checked in nests of their own, before any that uses them.
//
// A store never changes what a load of the same nest reads at another point; at its own, loads come before stores.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/dtype.h"
#include "ir/small_vector.h"

namespace autoray::codegen {

// One primitive: its name in the text, and how many operands it takes.
enum class Prim : std::uint8_t {
#define PRIM(name, operands) name,
#include "codegen/primitives.def"
#undef PRIM
};
std::string_view name(Prim prim);
int operand_count(Prim prim);

// What Prim::Library calls.
enum class LibraryFunction : std::uint8_t { Hypot, Fmod, Count };
// Its symbol: hypot, hypotf.
std::string library_symbol(LibraryFunction function, bool single);

using ValueId = std::uint16_t;
inline constexpr ValueId kNoValue = 0xffff;

struct Instr {
  Prim prim;
  ir::DType dtype;  // of the result
  ValueId a = kNoValue, b = kNoValue, c = kNoValue;
  // Load, Index, Gather: the access. Check: its number in the kernel. Register: its number. Constant: the bits of an int64 or
  // double. Function, Library, Complex: which one.
  std::int64_t immediate = 0;
  ValueId d = kNoValue;
  friend bool operator==(const Instr&, const Instr&) = default;
};

// A number that is part of the kernel, or the argument of that number.
struct Number {
  bool constant = true;
  std::int64_t value = 0;
  friend bool operator==(const Number&, const Number&) = default;
};

inline constexpr std::uint16_t kNoBuffer = 0xffff;  // of an Index: there is no memory
inline constexpr std::uint16_t kNoRegister = 0xffff;

struct Access {
  std::uint16_t buffer;
  std::uint8_t part = 0;               // 1: the imaginary part, an item behind the real one
  ir::SmallVector<Number, 4> strides;  // bytes, one a dimension of the nest
  bool fresh = false;                  // a load: of memory into which the kernel writes single items
  std::uint16_t newest = kNoRegister;  // a load of a fold's terms: the register that holds the last of these items as well
  friend bool operator==(const Access&, const Access&) = default;
};

// How the terms of a fold are combined. Pairwise is the order of summation that the runtime documents (16 lanes, blocks of
// 256); Sequential adds term by term (products of matrices); Any may be regrouped without changing a bit (integers, extremes).
enum class Order : std::uint8_t { Pairwise, Sequential, Any };

struct Store {
  ValueId value;
  Access to;
  ValueId offset = kNoValue;  // bytes from there, where indices say where it goes: the points are taken in order
  friend bool operator==(const Store&, const Store&) = default;
};

struct Nest {
  ir::SmallVector<Number, 4> extents;  // outermost first
  std::vector<Access> loads;           // by Instr::immediate
  std::vector<Instr> body;
  std::vector<Store> stores;  // of a map: at every point. Of a fold: where the result goes (stride 0 along the last dimension)
  bool folds = false;         // the last dimension is folded
  bool scans = false;         // a sequential fold all of whose partial results are stored
  // Of more than the caches hold: what a map stores densely and does not read passes them by, what a fold reads is fetched
  // ahead.
  bool streams = false;
  bool in_turn = false;  // a fold of what the map before it reads and makes at the same points: their blocks take turns
  Prim fold{};           // Add, Multiply, Maximum, Minimum, And, Or
  Order order = Order::Any;
  bool one_block = false;  // a pairwise fold of at most 256 terms, whatever its extent is
  ValueId folded = kNoValue;
  // Nests of a single point, and folds without other dimensions, leave values in registers for later nests.
  std::vector<std::pair<ValueId, std::uint16_t>> registers;  // value -> register; of a fold: kNoValue is the result
  friend bool operator==(const Nest&, const Nest&) = default;
};

// The nests are run several times: from turn to turn every buffer moves on by so many bytes, every argument by so much. What
// the registers of Access::newest hold stays from turn to turn.
struct Turns {
  Number count;
  std::vector<Number> growth;  // of the buffers, then of the arguments
  friend bool operator==(const Turns&, const Turns&) = default;
};

struct Kernel {
  std::vector<ir::DType> buffers;
  std::vector<ir::DType> registers;
  std::vector<Nest> nests;
  std::uint16_t arguments = 0;
  std::optional<Turns> turns = {};

  std::string text() const;
  friend bool operator==(const Kernel&, const Kernel&) = default;
};
struct KernelHash {
  std::size_t operator()(const Kernel& kernel) const;
};

}  // namespace autoray::codegen
