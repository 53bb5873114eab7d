// Numbers that stand for values of kernel IR: the scalar definitions, instantiated for them, write down their instructions.
#pragma once

#include <concepts>

#include "codegen/body.h"
#include "ir/number_traits.h"

namespace autoray::codegen {

// A value of dtype T: of an instruction, or a number that becomes one where it is used.
template <class T>
class Traced {
 public:
  static constexpr ir::DType kDType = ir::dtype_of<T>;

  Traced(Body& body, ValueId id) : body_(&body), id_(id) {}
  template <class Number>
    requires std::is_arithmetic_v<Number>
  explicit Traced(Number number) : number_(static_cast<T>(number)) {}

  ValueId in(Body& body) const {
    if (body_) return id_;
    if constexpr (std::is_floating_point_v<T>)
      return body.real(kDType, static_cast<double>(number_));
    else
      return body.integer(kDType, static_cast<std::int64_t>(number_));
  }

  friend Traced operator+(Traced a, Traced b) { return of(Prim::Add, a, b); }
  friend Traced operator-(Traced a, Traced b) { return of(Prim::Subtract, a, b); }
  friend Traced operator*(Traced a, Traced b) { return of(Prim::Multiply, a, b); }
  friend Traced operator/(Traced a, Traced b) { return of(Prim::Divide, a, b); }
  friend Traced operator-(Traced a) { return a.body_ ? of(Prim::Negative, a) : Traced(-a.number_); }
  friend Traced operator&(Traced a, Traced b) { return of(Prim::And, a, b); }
  friend Traced operator|(Traced a, Traced b) { return of(Prim::Or, a, b); }
  friend Traced operator^(Traced a, Traced b) { return of(Prim::Xor, a, b); }
  friend Traced operator~(Traced a) { return of(Prim::Not, a); }
  friend auto operator==(Traced a, Traced b) { return compare(Prim::Equal, a, b); }
  friend auto operator!=(Traced a, Traced b) { return compare(Prim::NotEqual, a, b); }
  friend auto operator<(Traced a, Traced b) { return compare(Prim::Less, a, b); }
  friend auto operator<=(Traced a, Traced b) { return compare(Prim::LessEqual, a, b); }
  friend auto operator>(Traced a, Traced b) { return compare(Prim::Less, b, a); }
  friend auto operator>=(Traced a, Traced b) { return compare(Prim::LessEqual, b, a); }

  static Traced of(Prim prim, Traced a) { return {*a.body_, a.body_->emit(prim, kDType, a.id_)}; }
  static Traced of(Prim prim, Traced a, Traced b, std::int64_t immediate = 0) {
    Body& body = *(a.body_ ? a.body_ : b.body_);
    return {body, body.emit(prim, kDType, a.in(body), b.in(body), kNoValue, immediate)};
  }
  static Traced<bool> compare(Prim prim, Traced a, Traced b) {
    Body& body = *(a.body_ ? a.body_ : b.body_);
    return {body, body.emit(prim, ir::DType::Bool, a.in(body), b.in(body))};
  }
  static Traced choice(Traced<bool> condition, Traced yes, Traced no) {
    Body& body = *condition.body();
    return {body, body.emit(Prim::Select, kDType, condition.in(body), yes.in(body), no.in(body))};
  }
  Body* body() const { return body_; }

 private:
  Body* body_ = nullptr;
  ValueId id_ = kNoValue;
  T number_{};
};

// A pair of them.
template <class R>
class TracedComplex {
 public:
  using value_type = Traced<R>;
  TracedComplex(Traced<R> re, Traced<R> im) : re_(re), im_(im) {}
  template <class Number>
    requires std::is_arithmetic_v<Number>
  explicit TracedComplex(Number number) : re_(number), im_(0) {}
  Traced<R> real() const { return re_; }
  Traced<R> imag() const { return im_; }
  friend TracedComplex operator-(TracedComplex a) { return {-a.re_, -a.im_}; }
  friend Traced<bool> operator==(TracedComplex a, TracedComplex b) { return (a.re_ == b.re_) & (a.im_ == b.im_); }
  friend Traced<bool> operator!=(TracedComplex a, TracedComplex b) { return (a.re_ != b.re_) | (a.im_ != b.im_); }
  static TracedComplex choice(Traced<bool> condition, TracedComplex yes, TracedComplex no) {
    return {Traced<R>::choice(condition, yes.re_, no.re_), Traced<R>::choice(condition, yes.im_, no.im_)};
  }

 private:
  Traced<R> re_, im_;
};

// Conditions have no short circuit: both sides are values.
inline Traced<bool> operator&&(Traced<bool> a, Traced<bool> b) { return a & b; }
inline Traced<bool> operator||(Traced<bool> a, Traced<bool> b) { return a | b; }
inline Traced<bool> operator!(Traced<bool> a) { return ~a; }

template <class T>
Traced<T> select(Traced<bool> condition, Traced<T> yes, Traced<T> no) {
  return Traced<T>::choice(condition, yes, no);
}
template <class R>
TracedComplex<R> select(Traced<bool> condition, TracedComplex<R> yes, TracedComplex<R> no) {
  return TracedComplex<R>::choice(condition, yes, no);
}
template <class Yes, class No>
auto choose(Traced<bool> condition, const Yes& yes, const No& no) {
  return select(condition, yes(), no());
}

#define AUTORAY_TRACED1(function, prim)  \
  template <class T>                     \
  Traced<T> function(Traced<T> a) {      \
    return Traced<T>::of(Prim::prim, a); \
  }
#define AUTORAY_TRACED2(function, prim, immediate)                                \
  template <class T>                                                              \
  Traced<T> function(Traced<T> a, Traced<T> b) {                                  \
    return Traced<T>::of(Prim::prim, a, b, static_cast<std::int64_t>(immediate)); \
  }
AUTORAY_TRACED1(fabs, Fabs)
AUTORAY_TRACED1(sqrt, Sqrt)
AUTORAY_TRACED1(floor, Floor)
AUTORAY_TRACED1(ceil, Ceil)
AUTORAY_TRACED1(trunc, Trunc)
AUTORAY_TRACED1(nearbyint, Rint)
AUTORAY_TRACED1(wrap_negative, Negative)
AUTORAY_TRACED2(copysign, Copysign, 0)
AUTORAY_TRACED2(hypot, Library, LibraryFunction::Hypot)
AUTORAY_TRACED2(fmod, Library, LibraryFunction::Fmod)
AUTORAY_TRACED2(wrap_add, Add, 0)
AUTORAY_TRACED2(wrap_subtract, Subtract, 0)
AUTORAY_TRACED2(wrap_multiply, Multiply, 0)
AUTORAY_TRACED2(shift_left, ShiftLeft, 0)
AUTORAY_TRACED2(shift_right, ShiftRight, 0)
#undef AUTORAY_TRACED1
#undef AUTORAY_TRACED2

}  // namespace autoray::codegen

template <class T>
struct autoray::ir::Traits<autoray::codegen::Traced<T>> : autoray::ir::Traits<T> {};
template <class R>
struct autoray::ir::Traits<autoray::codegen::TracedComplex<R>> : autoray::ir::Traits<std::complex<R>> {};
