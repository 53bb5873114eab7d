#include "ir/dtype.h"

#include <algorithm>
#include <array>

namespace autoray::ir {
namespace {

struct Row {
  std::string_view name;
  char kind;
  std::uint8_t size;
  char code;
};

constexpr std::array<Row, kDTypeCount> kRows = {{
#define DTYPE(enum_name, type, name, kind, size, code) {name, kind, size, code},
#include "ir/dtypes.def"
#undef DTYPE
}};

constexpr const Row& row(DType dtype) { return kRows[static_cast<std::size_t>(dtype)]; }

constexpr DType with(char kind, int size) {
  for (int i = 0; i < kDTypeCount; ++i)
    if (kRows[i].kind == kind && kRows[i].size == size) return static_cast<DType>(i);
  return DType::Float64;
}

// Significand needed by an integer dtype, as the size of the float that numpy promotes it to.
constexpr int float_size_for_integer(int integer_size) { return integer_size == 1 ? 2 : integer_size == 2 ? 4 : 8; }

constexpr DType promote_slow(DType a, DType b) {
  Row x = row(a), y = row(b);
  if (a == b) return a;
  auto rank = [](char kind) { return kind == 'b' ? 0 : kind == 'u' ? 1 : kind == 'i' ? 2 : kind == 'f' ? 3 : 4; };
  if (rank(x.kind) > rank(y.kind)) {
    std::swap(x, y);
    std::swap(a, b);
  }
  if (x.kind == 'b') return b;
  if (x.kind == y.kind) return x.size > y.size ? a : b;
  if (x.kind == 'u' && y.kind == 'i') {
    if (y.size > x.size) return b;
    return x.size == 8 ? DType::Float64 : with('i', 2 * x.size);
  }
  int real_size = x.kind == 'f' ? x.size : float_size_for_integer(x.size);
  if (y.kind == 'f') return with('f', std::max<int>(real_size, y.size));
  return with('c', std::max<int>(std::max(8, 2 * real_size), y.size));
}

constexpr auto kPromote = [] {
  std::array<std::array<DType, kDTypeCount>, kDTypeCount> table{};
  for (int a = 0; a < kDTypeCount; ++a)
    for (int b = 0; b < kDTypeCount; ++b) table[a][b] = promote_slow(static_cast<DType>(a), static_cast<DType>(b));
  return table;
}();

struct Alias {
  std::string_view name;
  DType dtype;
};

// numpy's other names; on Linux x86-64 `long` and `longlong` are both 64-bit.
constexpr Alias kAliases[] = {
    {"bool_", DType::Bool},
    {"b1", DType::Bool},
    {"int", DType::Int64},
    {"int_", DType::Int64},
    {"intp", DType::Int64},
    {"long", DType::Int64},
    {"longlong", DType::Int64},
    {"q", DType::Int64},
    {"p", DType::Int64},
    {"intc", DType::Int32},
    {"short", DType::Int16},
    {"byte", DType::Int8},
    {"uint", DType::UInt64},
    {"uintp", DType::UInt64},
    {"ulong", DType::UInt64},
    {"ulonglong", DType::UInt64},
    {"Q", DType::UInt64},
    {"P", DType::UInt64},
    {"uintc", DType::UInt32},
    {"ushort", DType::UInt16},
    {"ubyte", DType::UInt8},
    {"half", DType::Float16},
    {"single", DType::Float32},
    {"double", DType::Float64},
    {"float", DType::Float64},
    {"float_", DType::Float64},
    {"complex", DType::Complex128},
    {"csingle", DType::Complex64},
    {"cdouble", DType::Complex128},
};

}  // namespace

std::string_view name(DType dtype) { return row(dtype).name; }
char kind_letter(DType dtype) { return row(dtype).kind; }
char type_code(DType dtype) { return row(dtype).code; }

bool is_bool(DType dtype) { return dtype == DType::Bool; }
bool is_integer(DType dtype) { return row(dtype).kind == 'i' || row(dtype).kind == 'u'; }
bool is_signed_integer(DType dtype) { return row(dtype).kind == 'i'; }
bool is_unsigned(DType dtype) { return row(dtype).kind == 'u'; }
bool is_real_floating(DType dtype) { return row(dtype).kind == 'f'; }
bool is_inexact(DType dtype) { return row(dtype).kind == 'f' || row(dtype).kind == 'c'; }

DType real_dtype(DType dtype) {
  if (dtype == DType::Complex64) return DType::Float32;
  if (dtype == DType::Complex128) return DType::Float64;
  return dtype;
}

DType complex_dtype(DType dtype) {
  if (is_complex(dtype)) return dtype;
  return dtype == DType::Float16 || dtype == DType::Float32 ? DType::Complex64 : DType::Complex128;
}

DType inexact_dtype(DType dtype) {
  if (is_inexact(dtype)) return dtype;
  return with('f', float_size_for_integer(row(dtype).size));
}

DType promote(DType a, DType b) { return kPromote[static_cast<std::size_t>(a)][static_cast<std::size_t>(b)]; }

bool can_cast(DType from, DType to, Casting casting) {
  if (from == to || casting == Casting::Unsafe) return true;
  if (casting == Casting::No || casting == Casting::Equiv) return false;
  if (promote(from, to) == to) return true;
  if (casting == Casting::Safe) return false;
  // same_kind: within a kind, or to a later kind in the order bool < integers < floats < complex; signed to unsigned is not.
  char f = row(from).kind, t = row(to).kind;
  if (f == t) return true;
  if (f == 'u') return t == 'i' || t == 'f' || t == 'c';
  if (f == 'i') return t == 'f' || t == 'c';
  if (f == 'f') return t == 'c';
  return f == 'b';
}

std::optional<DType> parse_dtype(std::string_view text) {
  if (!text.empty() && (text[0] == '<' || text[0] == '=' || text[0] == '|')) text.remove_prefix(1);
  for (int i = 0; i < kDTypeCount; ++i) {
    const Row& r = kRows[i];
    if (text == r.name) return static_cast<DType>(i);
    if (text.size() == 1 && text[0] == r.code) return static_cast<DType>(i);
  }
  for (const Alias& alias : kAliases)
    if (text == alias.name) return alias.dtype;
  // kind letter and size in bytes: f8, i4, u2, c16.
  if (text.size() >= 2 && text.size() <= 3) {
    int size = 0;
    for (char c : text.substr(1)) {
      if (c < '0' || c > '9') return std::nullopt;
      size = 10 * size + (c - '0');
    }
    for (int i = 1; i < kDTypeCount; ++i)
      if (kRows[i].kind == text[0] && kRows[i].size == size) return static_cast<DType>(i);
  }
  return std::nullopt;
}

void Promotion::add(DType dtype, Kind kind) {
  // A Python bool is no weaker than numpy's.
  if (kind == Kind::Weak && dtype != DType::Bool) {
    char k = row(dtype).kind;
    weak_rank_ = std::max(weak_rank_, k == 'c' ? 3 : k == 'f' ? 2 : 1);
    return;
  }
  if (is_inexact(dtype))
    inexact_ = inexact_ ? promote(*inexact_, dtype) : dtype;
  else
    integers_ |= 1u << static_cast<unsigned>(dtype);
}

DType Promotion::result() const {
  constexpr DType kDefault[] = {DType::Bool, DType::Int64, DType::Float64, DType::Complex128};
  std::optional<DType> strong = inexact_;
  for (int i = 0; i < kDTypeCount; ++i)
    if (integers_ >> i & 1) strong = strong ? promote(*strong, static_cast<DType>(i)) : static_cast<DType>(i);
  if (!strong) return weak_rank_ < 0 ? DType::Float64 : kDefault[weak_rank_];
  DType d = *strong;
  char k = row(d).kind;
  int rank = k == 'b' ? 0 : k == 'f' ? 2 : k == 'c' ? 3 : 1;
  if (weak_rank_ <= rank) return d;
  if (weak_rank_ == 1) return DType::Int64;    // bool with a Python int
  if (weak_rank_ == 2) return DType::Float64;  // bool, integer with a Python float
  return rank == 2 ? complex_dtype(d) : DType::Complex128;
}

}  // namespace autoray::ir
