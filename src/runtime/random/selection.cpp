#include "runtime/random/selection.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "ir/error.h"
#include "ir/rules/random.h"
#include "runtime/convert.h"
#include "runtime/random/distributions.h"
#include "runtime/random/random.h"
#include "runtime/random/random_state.h"

namespace autoray::runtime {
namespace {

using ir::DType;
using ir::Error;
using ir::ErrorClass;

// Shuffles items[first], ..., items[n-1] into place from the last one down.
void shuffle_down(Runtime& runtime, BitGenerator& stream, std::span<std::int64_t> items, std::int64_t first,
                  Bounding bounding) {
  std::visit(
      [&](auto& engine) {
        for (auto i = static_cast<std::int64_t>(items.size()) - 1; i >= first; --i) {
          if ((i & 0xffff) == 0) runtime.poll();
          auto j = static_cast<std::int64_t>(bounded_uint64(engine, static_cast<std::uint64_t>(i), bounding));
          std::swap(items[static_cast<std::size_t>(i)], items[static_cast<std::size_t>(j)]);
        }
      },
      stream.engine);
}

std::vector<std::int64_t> counting(std::int64_t n) {
  std::vector<std::int64_t> items(static_cast<std::size_t>(n));
  std::iota(items.begin(), items.end(), std::int64_t{0});
  return items;
}

}  // namespace

std::vector<std::int64_t> shuffled_order(Runtime& runtime, BitGenerator& stream, std::int64_t n) {
  std::vector<std::int64_t> order = counting(n);
  shuffle_down(runtime, stream, order, 1, Bounding::Masked);
  return order;
}

Array take_along(Runtime& runtime, const Array& array, int axis, std::span<const std::int64_t> places,
                 std::span<const std::int64_t> places_shape) {
  Array source = contiguous(runtime, array, array.dtype);
  ir::Dims shape(source.shape.begin(), source.shape.begin() + axis);
  for (std::int64_t extent : places_shape) shape.push_back(extent);
  std::int64_t outer =
      ir::element_count(shape.empty() ? ir::Dims{} : ir::Dims(source.shape.begin(), source.shape.begin() + axis));
  std::int64_t inner = source.itemsize();
  for (int i = axis + 1; i < source.ndim(); ++i) {
    shape.push_back(source.shape[i]);
    inner *= source.shape[i];
  }
  Array result = runtime.allocate(source.dtype, shape);
  char* to = result.data;
  for (std::int64_t o = 0; o < outer && inner; ++o) {
    const char* from = source.data + o * source.shape[axis] * inner;
    for (std::int64_t place : places) {
      std::memcpy(to, from + place * inner, static_cast<std::size_t>(inner));
      to += inner;
    }
  }
  return result;
}

void shuffle_array(Runtime& runtime, BitGenerator& stream, const Array& array, int axis) {
  if (!array.can_write()) throw Error(ErrorClass::ValueError, "array is read-only");
  std::int64_t n = array.shape[axis];
  if (array.size() == 0) return;
  std::vector<std::int64_t> order = shuffled_order(runtime, stream, n);
  std::int64_t shape[] = {n};
  Array shuffled = take_along(runtime, array, axis, order, shape);
  copy_into(runtime, shuffled, array);
}

namespace {

// ---- permutation: an int, or an array along an axis ----

void permute(KernelCall& call, bool legacy) {
  const Operand& x = call.in[0];
  BitGenerator& stream = stream_of(call);
  Array result;
  bool integer = x->ndim() == 0 && (ir::is_integer(x->dtype) || x->dtype == DType::Bool) && x.kind != ir::Kind::Array;
  if (integer) {
    std::int64_t n = *converted(call.runtime, *x.array, DType::Int64).as<std::int64_t>();
    ir::Dims shape{std::max<std::int64_t>(n, 0)};
    result = call.runtime.allocate(DType::Int64, shape);
    std::span items(result.as<std::int64_t>(), static_cast<std::size_t>(shape[0]));
    std::iota(items.begin(), items.end(), std::int64_t{0});
    shuffle_down(call.runtime, stream, items, 1, Bounding::Masked);
  } else {
    if (legacy && x->ndim() == 0) throw Error(ErrorClass::IndexError, "x must be an integer or at least 1-dimensional");
    int axis = legacy ? 0 : ir::normalize_axis(ir::as_int(call.attrs[0], "axis"), x->ndim());
    std::int64_t shape[] = {x->shape[axis]};
    std::vector<std::int64_t> order = shuffled_order(call.runtime, stream, shape[0]);
    result = take_along(call.runtime, *x.array, axis, order, shape);
  }
  call.dynamic_out->push_back(std::move(result));
}

// ---- choice ----

struct Wording {
  const char *not_positive, *empty, *not_a_vector, *sizes, *sum, *nan, *negative, *larger, *negative_size;
};
constexpr Wording kGenerator = {"a must be a positive integer unless no samples are taken",
                                "a cannot be empty unless no samples are taken",
                                "p must be 1-dimensional",
                                "a and p must have same size",
                                "Probabilities do not sum to 1. See Notes section of docstring for more information.",
                                "Probabilities contain NaN",
                                "Probabilities are not non-negative",
                                "Cannot take a larger sample than population when replace is False",
                                "negative dimensions are not allowed"};
constexpr Wording kLegacy = {"a must be greater than 0 unless no samples are taken",
                             "'a' cannot be empty unless no samples are taken",
                             "'p' must be 1-dimensional",
                             "'a' and 'p' must have same size",
                             "probabilities do not sum to 1",
                             "probabilities contain NaN",
                             "probabilities are not non-negative",
                             "Cannot take a larger sample than population when 'replace=False'",
                             "Negative dimensions are not allowed"};

// Compensated summation (W. Kahan, 1965).
double kahan_sum(std::span<const double> items) {
  if (items.empty()) return 0;
  double sum = items[0], compensation = 0;
  for (double item : items.subspan(1)) {
    double y = item - compensation, t = sum + y;
    compensation = (t - sum) - y;
    sum = t;
  }
  return sum;
}

std::vector<double> probabilities(KernelCall& call, const Operand& p, std::int64_t population, const Wording& wording) {
  if (p->ndim() != 1) {
    if (p->ndim() == 0 && p.kind == ir::Kind::Weak) throw Error(ErrorClass::TypeError, "object of type 'float' has no len()");
    throw Error(ErrorClass::ValueError, wording.not_a_vector);
  }
  if (p->shape[0] != population) throw Error(ErrorClass::ValueError, wording.sizes);
  Array values = contiguous(call.runtime, *p.array, DType::Float64);
  std::vector<double> result(values.as<double>(), values.as<double>() + population);
  double sum = kahan_sum(result);
  if (std::isnan(sum)) throw Error(ErrorClass::ValueError, wording.nan);
  for (double item : result)
    if (item < 0) throw Error(ErrorClass::ValueError, wording.negative);
  double epsilon = p->dtype == DType::Float32 ? 0x1p-23 : p->dtype == DType::Float16 ? 0x1p-10 : 0x1p-52;
  if (std::fabs(sum - 1.0) > std::sqrt(epsilon)) throw Error(ErrorClass::ValueError, wording.sum);
  return result;
}

std::vector<double> cumulative(const std::vector<double>& p) {
  std::vector<double> cdf(p.size());
  std::partial_sum(p.begin(), p.end(), cdf.begin());
  double total = cdf.empty() ? 1 : cdf.back();
  for (double& value : cdf) value /= total;
  return cdf;
}

std::int64_t place_in(const std::vector<double>& cdf, double sample) {
  return std::upper_bound(cdf.begin(), cdf.end(), sample) - cdf.begin();
}

// Samples with replacement by inverting the cumulative distribution.
void weighted(BitGenerator& stream, const std::vector<double>& p, std::span<std::int64_t> places) {
  std::vector<double> cdf = cumulative(p);
  for (std::int64_t& place : places) place = place_in(cdf, stream.next_double());
}

// Without replacement: rounds of samples; of each the first occurrences stay, and what was taken has
// probability 0 from then.
void weighted_distinct(Runtime& runtime, BitGenerator& stream, std::vector<double> p, std::span<std::int64_t> places) {
  if (static_cast<std::size_t>(std::count_if(p.begin(), p.end(), [](double item) { return item > 0; })) < places.size())
    throw Error(ErrorClass::ValueError, "Fewer non-zero entries in p than size");
  std::vector<char> taken(p.size() + 1, 0);
  std::size_t found = 0;
  while (found < places.size()) {
    runtime.poll();
    for (std::size_t i = 0; i < found; ++i) p[static_cast<std::size_t>(places[i])] = 0;
    std::vector<double> cdf = cumulative(p);
    std::vector<double> samples(places.size() - found);
    for (double& sample : samples) sample = stream.next_double();
    for (double sample : samples) {
      std::int64_t place = place_in(cdf, sample);
      if (std::exchange(taken[static_cast<std::size_t>(place)], 1)) continue;
      places[found++] = place;
    }
  }
}

// R. W. Floyd's subset of distinct places (Bentley and Floyd, CACM 30, 1987), then shuffled.
void floyd(Runtime& runtime, BitGenerator& stream, std::int64_t population, std::span<std::int64_t> places, bool shuffle) {
  auto size = static_cast<std::int64_t>(places.size());
  std::uint64_t mask = mask_above(static_cast<std::uint64_t>(1.2 * static_cast<double>(size)));
  constexpr std::uint64_t kFree = ~std::uint64_t{0};
  std::vector<std::uint64_t> seen(mask + 1, kFree);
  auto slot_of = [&](std::uint64_t value) {
    std::uint64_t at = value & mask;
    while (seen[at] != kFree && seen[at] != value) at = (at + 1) & mask;
    return at;
  };
  for (std::int64_t j = population - size; j < population; ++j) {
    if ((j & 0xffff) == 0) runtime.poll();
    auto value = std::visit(
        [&](auto& engine) { return bounded_uint64(engine, static_cast<std::uint64_t>(j), Bounding::Lemire); }, stream.engine);
    std::uint64_t at = slot_of(value);
    if (seen[at] != kFree) {
      value = static_cast<std::uint64_t>(j);
      at = slot_of(value);
    }
    seen[at] = value;
    places[static_cast<std::size_t>(j - population + size)] = static_cast<std::int64_t>(value);
  }
  if (shuffle) shuffle_down(runtime, stream, places, 1, Bounding::Lemire);
}

void distinct(KernelCall& call, BitGenerator& stream, std::int64_t population, std::span<std::int64_t> places, bool legacy) {
  auto size = static_cast<std::int64_t>(places.size());
  if (legacy) {
    std::vector<std::int64_t> order = shuffled_order(call.runtime, stream, population);
    std::copy_n(order.begin(), places.size(), places.begin());
    return;
  }
  bool shuffle = ir::as_bool(call.attrs[3], "shuffle");
  // A large part of a large population: shuffle its tail.
  if (population > 10000 && size > population / (shuffle ? 50 : 20)) {
    std::vector<std::int64_t> items = counting(population);
    shuffle_down(call.runtime, stream, items, std::max<std::int64_t>(population - size, 1), Bounding::Lemire);
    std::copy(items.end() - size, items.end(), places.begin());
    return;
  }
  floyd(call.runtime, stream, population, places, shuffle);
}

void choose(KernelCall& call, bool legacy) {
  const Wording& wording = legacy ? kLegacy : kGenerator;
  const Operand &a = call.in[0], &p = call.in[1];
  bool replace = ir::as_bool(call.attrs[1], "replace");
  std::optional<ir::Dims> size = ir::draw_size(call.attrs[0]);
  ir::Dims places_shape = size.value_or(ir::Dims{});
  std::int64_t count = ir::element_count(places_shape), population;
  int axis = 0;
  if (a->ndim() == 0) {
    if (!ir::is_integer(a->dtype) && a->dtype != DType::Bool)
      throw Error(ErrorClass::ValueError, legacy
                                              ? "a must be 1-dimensional or an integer"
                                              : "a must be a sequence or an integer, not <class '" +
                                                    std::string(a.kind == ir::Kind::Weak ? "float" : "numpy.float64") + "'>");
    population = *converted(call.runtime, *a.array, DType::Int64).as<std::int64_t>();
    if (population <= 0 && count != 0) throw Error(ErrorClass::ValueError, wording.not_positive);
  } else {
    if (legacy && a->ndim() != 1) throw Error(ErrorClass::ValueError, "a must be 1-dimensional");
    if (!legacy) axis = ir::normalize_axis(ir::as_int(call.attrs[2], "axis"), a->ndim());
    population = a->shape[axis];
    if (population == 0 && count != 0) throw Error(ErrorClass::ValueError, wording.empty);
  }
  std::optional<std::vector<double>> weights;
  if (p.present()) weights = probabilities(call, p, population, wording);
  if (!replace && count > population) throw Error(ErrorClass::ValueError, wording.larger);
  BitGenerator& stream = stream_of(call);
  Array chosen = call.runtime.allocate(DType::Int64, places_shape);
  std::span places(chosen.as<std::int64_t>(), static_cast<std::size_t>(count));
  if (weights && replace) {
    weighted(stream, *weights, places);
  } else if (weights) {
    weighted_distinct(call.runtime, stream, std::move(*weights), places);
  } else if (replace) {
    if (count) {
      Bounding bounding = legacy ? Bounding::Masked : Bounding::Lemire;
      std::visit(
          [&](auto& engine) {
            for (std::int64_t& place : places)
              place = static_cast<std::int64_t>(bounded_uint64(engine, static_cast<std::uint64_t>(population - 1), bounding));
          },
          stream.engine);
    }
  } else {
    distinct(call, stream, population, places, legacy);
  }
  call.out[0] = a->ndim() == 0 ? std::move(chosen) : take_along(call.runtime, *a.array, axis, places, places_shape);
}

void legacy_choice(KernelCall& call) { choose(call, true); }
void generator_choice(KernelCall& call) { choose(call, false); }
void legacy_permutation(KernelCall& call) { permute(call, true); }
void generator_permutation(KernelCall& call) { permute(call, false); }

}  // namespace

std::span<const KernelRow> selection_kernels() {
  using ir::OpId;
  static constexpr KernelRow kRows[] = {
      {OpId::RandomChoice, legacy_choice, "autoray"},
      {OpId::RandomPermutation, legacy_permutation, "autoray"},
      {OpId::GeneratorChoice, generator_choice, "autoray"},
      {OpId::GeneratorPermutation, generator_permutation, "autoray"},
  };
  return kRows;
}

}  // namespace autoray::runtime
