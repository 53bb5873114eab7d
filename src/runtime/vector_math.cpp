#include "runtime/vector_math.h"

#include <dlfcn.h>

#include <cmath>
#include <cstring>
#include <string>

#include "runtime/vector_names.h"
#include "runtime/vector_power.h"

namespace autoray::runtime {
namespace {

constexpr int kBytes = kVectorBytes;
template <class T>
struct VectorOf {
  typedef T type __attribute__((vector_size(kBytes)));
};
template <class T>
using Vector = typename VectorOf<T>::type;
template <class T>
constexpr int kLanes = kBytes / static_cast<int>(sizeof(T));

struct Name {
  const char* name;
  int arguments;
};
constexpr Name kNames[] = {{"exp", 1},  {"expm1", 1}, {"log", 1},   {"log2", 1},  {"log10", 1}, {"log1p", 1},
                           {"sin", 1},  {"cos", 1},   {"tan", 1},   {"asin", 1},  {"acos", 1},  {"atan", 1},
                           {"sinh", 1}, {"cosh", 1},  {"tanh", 1},  {"asinh", 1}, {"acosh", 1}, {"atanh", 1},
                           {"pow", 2},  {"atan2", 2}, {"hypot", 2}, {"cbrt", 1},  {"exp2", 1}};

// libmvec's entry, or null where this libc has none (then libm's scalar function serves every lane).
void* find(VectorFunction f, bool single) {
#if defined(__AVX512F__) && defined(__AVX512DQ__)
  if (f == VectorFunction::Pow && !single) return reinterpret_cast<void*>(vector_power);
  if (f == VectorFunction::Exp && !single) return reinterpret_cast<void*>(vector_exp);
#endif
  static void* library = dlopen("libmvec.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) return nullptr;
  return dlsym(library, vector_name(f, single, kBytes).c_str());
}

// Resolved once a process and never changed: as constant as the library itself.
struct Table {
  void* entries[2][static_cast<int>(VectorFunction::Count)];
};
const Table& table() {
  static const Table resolved = [] {
    Table t{};
    for (int s = 0; s < 2; ++s)
      for (int f = 0; f < static_cast<int>(VectorFunction::Count); ++f)
        t.entries[s][f] = find(static_cast<VectorFunction>(f), s == 1);
    return t;
  }();
  return resolved;
}

template <class T>
T scalar(VectorFunction f, T x, T y) {
  switch (f) {
    case VectorFunction::Exp: return std::exp(x);
    case VectorFunction::Expm1: return std::expm1(x);
    case VectorFunction::Log: return std::log(x);
    case VectorFunction::Log2: return std::log2(x);
    case VectorFunction::Log10: return std::log10(x);
    case VectorFunction::Log1p: return std::log1p(x);
    case VectorFunction::Sin: return std::sin(x);
    case VectorFunction::Cos: return std::cos(x);
    case VectorFunction::Tan: return std::tan(x);
    case VectorFunction::Asin: return std::asin(x);
    case VectorFunction::Acos: return std::acos(x);
    case VectorFunction::Atan: return std::atan(x);
    case VectorFunction::Sinh: return std::sinh(x);
    case VectorFunction::Cosh: return std::cosh(x);
    case VectorFunction::Tanh: return std::tanh(x);
    case VectorFunction::Asinh: return std::asinh(x);
    case VectorFunction::Acosh: return std::acosh(x);
    case VectorFunction::Atanh: return std::atanh(x);
    case VectorFunction::Pow: return std::pow(x, y);
    case VectorFunction::Atan2: return std::atan2(x, y);
    case VectorFunction::Hypot: return std::hypot(x, y);
    case VectorFunction::Cbrt: return std::cbrt(x);
    case VectorFunction::Exp2: return std::exp2(x);
    case VectorFunction::Count: break;
  }
  return x;
}

template <class T>
void gather(const char* from, std::int64_t stride, T* to, int count) {
  for (int k = 0; k < count; ++k) std::memcpy(to + k, from + k * stride, sizeof(T));
  // Padding repeats the first item: no events that no element causes.
  for (int k = count; k < kLanes<T>; ++k) to[k] = to[0];
}

template <class T, bool Two>
void run(VectorFunction f, const char* x, std::int64_t xs, const char* y, std::int64_t ys, char* out, std::int64_t os,
         std::int64_t n) {
  void* entry = table().entries[sizeof(T) == 4][static_cast<int>(f)];
  if (!entry) {
    for (std::int64_t i = 0; i < n; ++i) {
      T a, b = 0;
      std::memcpy(&a, x + i * xs, sizeof a);
      if (Two) std::memcpy(&b, y + i * ys, sizeof b);
      T r = scalar(f, a, b);
      std::memcpy(out + i * os, &r, sizeof r);
    }
    return;
  }
  auto one = reinterpret_cast<Vector<T> (*)(Vector<T>)>(entry);
  auto two = reinterpret_cast<Vector<T> (*)(Vector<T>, Vector<T>)>(entry);
  constexpr int kN = kLanes<T>;
  bool dense_x = xs == sizeof(T), dense_y = !Two || ys == sizeof(T), dense_out = os == sizeof(T);
  alignas(64) T bx[kN], by[kN] = {}, br[kN];
  std::int64_t i = 0;
  if (dense_x && dense_y && dense_out) {
    // Whole vectors, without a question an item.
    for (; i + kN <= n; i += kN) {
      Vector<T> a, b{}, r;
      std::memcpy(&a, x + i * static_cast<std::int64_t>(sizeof(T)), kBytes);
      if constexpr (Two) {
        std::memcpy(&b, y + i * static_cast<std::int64_t>(sizeof(T)), kBytes);
        r = two(a, b);
      } else {
        r = one(a);
      }
      std::memcpy(out + i * static_cast<std::int64_t>(sizeof(T)), &r, kBytes);
    }
  }
  for (; i < n; i += kN) {
    int count = static_cast<int>(std::min<std::int64_t>(kN, n - i));
    Vector<T> a, b{}, r;
    if (dense_x && count == kN)
      std::memcpy(&a, x + i * xs, kBytes);
    else {
      gather(x + i * xs, xs, bx, count);
      std::memcpy(&a, bx, kBytes);
    }
    if constexpr (Two) {
      if (dense_y && count == kN)
        std::memcpy(&b, y + i * ys, kBytes);
      else {
        gather(y + i * ys, ys, by, count);
        std::memcpy(&b, by, kBytes);
      }
      r = two(a, b);
    } else {
      r = one(a);
    }
    if (dense_out && count == kN)
      std::memcpy(out + i * os, &r, kBytes);
    else {
      std::memcpy(br, &r, kBytes);
      for (int k = 0; k < count; ++k) std::memcpy(out + (i + k) * os, br + k, sizeof(T));
    }
  }
}

}  // namespace

std::string vector_name(VectorFunction f, bool single, int bytes) {
  const Name& name = kNames[static_cast<int>(f)];
  char isa = bytes == 64 ? 'e' : bytes == 32 ? 'd' : 'b';
  return std::string("_ZGV") + isa + "N" + std::to_string(bytes / (single ? 4 : 8)) + (name.arguments == 2 ? "vv_" : "v_") +
         name.name + (single ? "f" : "");
}

void* vector_entry(VectorFunction f, bool single) { return table().entries[single][static_cast<int>(f)]; }

void vector_unary(VectorFunction f, const char* x, std::int64_t xs, char* out, std::int64_t os, std::int64_t n, bool single) {
  if (single)
    run<float, false>(f, x, xs, nullptr, 0, out, os, n);
  else
    run<double, false>(f, x, xs, nullptr, 0, out, os, n);
}

void vector_binary(VectorFunction f, const char* x, std::int64_t xs, const char* y, std::int64_t ys, char* out, std::int64_t os,
                   std::int64_t n, bool single) {
  if (single)
    run<float, true>(f, x, xs, y, ys, out, os, n);
  else
    run<double, true>(f, x, xs, y, ys, out, os, n);
}

}  // namespace autoray::runtime
