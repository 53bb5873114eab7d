// Element types: names, sizes, NumPy 2's promotion (NEP 50) and casting rules. Every function here is a table look-up.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "ir/half.h"

namespace autoray::ir {

enum class DType : std::uint8_t {
#define DTYPE(enum_name, type, name, kind, size, code) enum_name,
#include "ir/dtypes.def"
#undef DTYPE
};

inline constexpr int kDTypeCount = 0
#define DTYPE(enum_name, type, name, kind, size, code) +1
#include "ir/dtypes.def"
#undef DTYPE
    ;

// What a value is in NEP 50's sense: a weak Python scalar, a numpy scalar, or an array (0-d arrays included).
enum class Kind : std::uint8_t { Weak, Scalar, Array };

template <DType>
struct StorageOf;
template <class T>
struct DTypeOf;
#define DTYPE(enum_name, storage_type, name, kind, size, code) \
  template <>                                                  \
  struct StorageOf<DType::enum_name> {                         \
    using type = storage_type;                                 \
  };                                                           \
  template <>                                                  \
  struct DTypeOf<storage_type> {                               \
    static constexpr DType value = DType::enum_name;           \
  };
#include "ir/dtypes.def"
#undef DTYPE
template <DType D>
using storage_t = typename StorageOf<D>::type;
template <class T>
inline constexpr DType dtype_of = DTypeOf<T>::value;

inline constexpr std::uint8_t kItemSizes[] = {
#define DTYPE(enum_name, storage_type, name, kind, size, code) size,
#include "ir/dtypes.def"
#undef DTYPE
};
constexpr std::size_t itemsize(DType dtype) { return kItemSizes[static_cast<std::size_t>(dtype)]; }
std::string_view name(DType dtype);
// numpy's kind letter: 'b' bool, 'i' signed, 'u' unsigned, 'f' real floating, 'c' complex.
char kind_letter(DType dtype);
char type_code(DType dtype);

bool is_bool(DType dtype);
bool is_integer(DType dtype);  // signed or unsigned, not bool
bool is_signed_integer(DType dtype);
bool is_unsigned(DType dtype);
bool is_real_floating(DType dtype);
constexpr bool is_complex(DType dtype) { return dtype == DType::Complex64 || dtype == DType::Complex128; }
bool is_inexact(DType dtype);  // real floating or complex

// The real dtype of a complex one's parts; any other dtype is its own.
DType real_dtype(DType dtype);
// complex64 for float16 and float32, complex128 for the rest; a complex dtype is its own.
DType complex_dtype(DType dtype);
// The inexact dtype in which numpy's `e`, `f`, `d` ufunc loops compute it: bool, int8, uint8 -> float16; int16, uint16 ->
// float32; wider integers -> float64; inexact dtypes are their own.
DType inexact_dtype(DType dtype);

// numpy.promote_types.
DType promote(DType a, DType b);

enum class Casting : std::uint8_t { No, Equiv, Safe, SameKind, Unsafe };
// numpy.can_cast between dtypes.
bool can_cast(DType from, DType to, Casting casting);

// A dtype, numpy's spellings: 'float64', 'f8', '<f8', '=f8', 'd', 'float', 'int', 'bool', 'complex', 'half', 'single',
// 'double', 'intp', 'uint', 'longlong' ...; big-endian spellings are not dtypes here. Empty when unknown.
std::optional<DType> parse_dtype(std::string_view text);

// NEP 50's result type over operands in turn. `weak` operands are Python scalars whose dtype is Bool, Int64, Float64 or
// Complex128 and which only lend their kind. Start from `Promotion{}`; add each operand; read `result()`.
class Promotion {
 public:
  void add(DType dtype, Kind kind);
  bool empty() const { return !integers_ && !inexact_ && weak_rank_ < 0; }
  // Only weak operands: Python's default dtype (bool, int64, float64, complex128).
  DType result() const;

 private:
  // Integers are kept apart: uint16, int8 and float32 together are float32, though uint16 and int8 are int32.
  std::uint32_t integers_ = 0;  // a bit a dtype
  std::optional<DType> inexact_;
  int weak_rank_ = -1;  // 0 bool, 1 int, 2 float, 3 complex
};

// Calls `visit.template operator()<T>()` with the storage type of `dtype`.
template <class Visitor>
decltype(auto) visit_dtype(DType dtype, Visitor&& visit) {
  switch (dtype) {
#define DTYPE(enum_name, type, name, kind, size, code) \
  case DType::enum_name: return visit.template operator()<type>();
#include "ir/dtypes.def"
#undef DTYPE
  }
  __builtin_unreachable();
}

}  // namespace autoray::ir
