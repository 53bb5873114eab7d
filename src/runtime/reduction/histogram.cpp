#include "runtime/reduction/histogram.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ir/error.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

using ir::DType;
using ir::Error;
using ir::ErrorClass;
using ir::OpId;

namespace {

using Doubles = std::vector<double>;

Doubles doubles_of(Runtime& runtime, const Array& array) {
  Array flat = converted(runtime, array, DType::Float64);
  return Doubles(flat.as<double>(), flat.as<double>() + flat.size());
}

std::string range_text(double low, double high) {
  auto one = [](double v) {
    return std::isnan(v) ? std::string("nan") : std::isinf(v) ? std::string(v < 0 ? "-inf" : "inf") : std::to_string(v);
  };
  return "[" + one(low) + ", " + one(high) + "]";
}

struct Range {
  double low = 0, high = 1;
};
Range outer_edges(Runtime& runtime, const Doubles& items, const Value& asked) {
  Range r;
  if (!asked.is_none()) {
    Doubles ends = doubles_of(runtime, to_array(runtime, asked));
    if (ends.size() != 2) throw Error(ErrorClass::ValueError, "too many values to unpack (expected 2)");
    r = {ends[0], ends[1]};
    if (r.low > r.high) throw Error(ErrorClass::ValueError, "max must be larger than min in range parameter.");
    if (!std::isfinite(r.low) || !std::isfinite(r.high))
      throw Error(ErrorClass::ValueError, "supplied range of " + range_text(r.low, r.high) + " is not finite");
  } else if (!items.empty()) {
    // A NaN anywhere makes both ends NaN, as min and max do.
    r = {items[0], items[0]};
    for (double v : items) {
      if (std::isnan(v)) {
        r = {v, v};
        break;
      }
      r = {std::min(r.low, v), std::max(r.high, v)};
    }
    if (!std::isfinite(r.low) || !std::isfinite(r.high))
      throw Error(ErrorClass::ValueError, "autodetected range of " + range_text(r.low, r.high) + " is not finite");
  }
  if (r.low == r.high) r = {r.low - 0.5, r.high + 0.5};
  return r;
}

// ---- widths by name: numpy's estimators, each from the paper or rule that it is named after ----

double peak_to_peak(const Doubles& x) {
  auto [low, high] = std::minmax_element(x.begin(), x.end());
  return *high - *low;
}
double mean_of(const Doubles& x) { return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size()); }
double deviation(const Doubles& x) {
  double mean = mean_of(x), sum = 0;
  for (double v : x) sum += (v - mean) * (v - mean);
  return std::sqrt(sum / static_cast<double>(x.size()));
}
double interquartile(Doubles x) {
  std::sort(x.begin(), x.end());
  auto quantile = [&](double q) {
    double at = q * static_cast<double>(x.size() - 1), whole = std::floor(at);
    auto i = static_cast<std::size_t>(whole);
    return i + 1 < x.size() ? x[i] + (at - whole) * (x[i + 1] - x[i]) : x[i];
  };
  return quantile(0.75) - quantile(0.25);
}
double sturges_width(const Doubles& x) { return peak_to_peak(x) / (std::log2(static_cast<double>(x.size())) + 1); }
double freedman_width(const Doubles& x) { return 2 * interquartile(x) * std::pow(static_cast<double>(x.size()), -1.0 / 3); }
double doane_width(const Doubles& x) {
  auto n = static_cast<double>(x.size());
  double sigma = deviation(x), mean = mean_of(x);
  if (x.size() <= 2 || sigma <= 0) return 0;
  double spread = std::sqrt(6 * (n - 2) / ((n + 1) * (n + 3))), skew = 0;
  for (double v : x) skew += std::pow((v - mean) / sigma, 3);
  return peak_to_peak(x) / (1 + std::log2(n) + std::log2(1 + std::abs(skew / n) / spread));
}

double estimated_width(const std::string& name, const Doubles& x) {
  auto n = static_cast<double>(x.size());
  if (name == "sqrt") return peak_to_peak(x) / std::sqrt(n);
  if (name == "sturges") return sturges_width(x);
  if (name == "rice") return peak_to_peak(x) / (2 * std::pow(n, 1.0 / 3));
  if (name == "scott") return std::cbrt(24 * std::sqrt(M_PI) / n) * deviation(x);
  if (name == "fd") return freedman_width(x);
  if (name == "doane") return doane_width(x);
  if (name == "auto") {
    // Freedman and Diaconis, but not where the quartiles coincide; never fewer bins than half of the square-root rule's.
    double fd = freedman_width(x), sturges = sturges_width(x), root = peak_to_peak(x) / std::sqrt(n) / 2;
    return fd != 0 ? std::min(std::max(fd, root), sturges) : sturges;
  }
  if (name == "stone")
    throw Error(ErrorClass::NotImplementedError, "histogram: the estimator 'stone' is not supported")
        .with_code(202)
        .with_hint("auto, fd, scott, rice, sturges, doane and sqrt are");
  throw Error(ErrorClass::ValueError, "'" + name + "' is not a valid estimator for `bins`");
}

struct Bins {
  Doubles edges;
  bool uniform = false;
  DType dtype = DType::Float64;  // of the edges
};

Bins bins_of(Runtime& runtime, const Array& a, const Doubles& items, const Value& asked, const Value& range, bool weighted) {
  Bins bins;
  ir::Promotion promotion;
  promotion.add(a.dtype, ir::Kind::Array);
  promotion.add(DType::Float64, ir::Kind::Weak);
  bins.dtype = ir::is_inexact(promotion.result()) ? promotion.result() : DType::Float64;
  std::int64_t n;
  Range r;
  if (auto* name = asked.get_if<Str>()) {
    if (weighted)
      throw Error(ErrorClass::TypeError, "Automated estimation of the number of bins is not supported for weighted data");
    r = outer_edges(runtime, items, range);
    Doubles inside;
    for (double v : items)
      if (v >= r.low && v <= r.high) inside.push_back(v);
    double width = inside.empty() ? 0 : estimated_width(name->text, inside);
    if (inside.empty()) estimated_width(name->text, {0.0});
    if (width > 0 && width < 1 && ir::is_integer(a.dtype)) width = 1;
    n = width > 0 ? static_cast<std::int64_t>(std::ceil((r.high - r.low) / width)) : 1;
  } else {
    Array given = to_array(runtime, asked);
    if (given.ndim() == 1) {
      bins.edges = doubles_of(runtime, given);
      bins.dtype = given.dtype;
      for (std::size_t i = 1; i < bins.edges.size(); ++i)
        if (bins.edges[i - 1] > bins.edges[i])
          throw Error(ErrorClass::ValueError, "`bins` must increase monotonically, when an array");
      return bins;
    }
    if (given.ndim() > 1) throw Error(ErrorClass::ValueError, "`bins` must be 1d, when an array");
    if (!ir::is_integer(given.dtype) && !ir::is_bool(given.dtype))
      throw Error(ErrorClass::TypeError, "`bins` must be an integer, a string, or an array");
    n = static_cast<std::int64_t>(doubles_of(runtime, given)[0]);
    if (n < 1) throw Error(ErrorClass::ValueError, "`bins` must be positive, when an integer");
    r = outer_edges(runtime, items, range);
  }
  bins.uniform = true;
  bins.edges.resize(static_cast<std::size_t>(n) + 1);
  // As linspace: the step first, the last edge exact, each operation rounded to the items' dtype where they give the range.
  auto rounded = [&](double v) {
    if (!range.is_none() || items.empty()) return v;
    char item[16];
    cast_loop(DType::Float64, bins.dtype)(reinterpret_cast<const char*>(&v), 0, item, 0, 1);
    cast_loop(bins.dtype, DType::Float64)(item, 0, reinterpret_cast<char*>(&v), 0, 1);
    return v;
  };
  r = {rounded(r.low), rounded(r.high)};
  double step = rounded(rounded(r.high - r.low) / static_cast<double>(n));
  for (std::int64_t i = 0; i < n; ++i)
    bins.edges[static_cast<std::size_t>(i)] = rounded(r.low + rounded(static_cast<double>(i) * step));
  bins.edges.back() = r.high;
  for (std::size_t i = 1; i < bins.edges.size(); ++i)
    if (bins.edges[i - 1] >= bins.edges[i])
      throw Error(ErrorClass::ValueError,
                  "Too many bins for data range. Cannot create " + std::to_string(n) + " finite-sized bins.");
  return bins;
}

// The bin of an item, or -1. Edges belong to the bin on their right, the last to the last bin.
std::int64_t bin_of(const Bins& bins, double item) {
  auto n = static_cast<std::int64_t>(bins.edges.size()) - 1;
  if (n < 1 || !(item >= bins.edges.front() && item <= bins.edges.back())) return -1;
  if (!bins.uniform) {
    auto at = std::upper_bound(bins.edges.begin(), bins.edges.end(), item) - bins.edges.begin() - 1;
    if (at >= n) {
      // On the last edge: numpy counts it in the last bin.
      at = n - 1;
    }
    return at;
  }
  auto i = static_cast<std::int64_t>((item - bins.edges.front()) / (bins.edges.back() - bins.edges.front()) *
                                     static_cast<double>(n));
  if (i == n) --i;
  // The quotient is rounded: the edges decide.
  if (item < bins.edges[static_cast<std::size_t>(i)])
    --i;
  else if (item >= bins.edges[static_cast<std::size_t>(i) + 1] && i != n - 1)
    ++i;
  return i;
}

Array from_doubles(Runtime& runtime, const Doubles& items, DType dtype) {
  Array array = runtime.allocate(DType::Float64, ir::Dims{static_cast<std::int64_t>(items.size())});
  std::copy(items.begin(), items.end(), array.as<double>());
  return dtype == DType::Float64 ? array : converted(runtime, array, dtype);
}

Value histogram_host(HostCall& call) {
  Runtime& runtime = call.runtime;
  Array a = to_array(runtime, call.args[0]);
  if (ir::is_complex(a.dtype)) throw Error(ErrorClass::TypeError, "histogram: complex items have no order");
  if (ir::is_bool(a.dtype)) {
    runtime.warn(ErrorClass::RuntimeWarning, "Converting input from bool to <class 'numpy.uint8'> for compatibility.");
    a = converted(runtime, a, DType::UInt8);
  }
  bool weighted = !call.args[4].is_none();
  Doubles items = doubles_of(runtime, a), weights;
  DType dtype = DType::Int64;
  if (weighted) {
    Array w = to_array(runtime, call.args[4]);
    if (!(w.shape == a.shape)) throw Error(ErrorClass::ValueError, "weights should have the same shape as a.");
    if (ir::is_complex(w.dtype))
      throw Error(ErrorClass::NotImplementedError, "histogram: complex weights are not supported").with_code(202);
    dtype = w.dtype;
    weights = doubles_of(runtime, w);
  }
  Bins bins = bins_of(runtime, a, items, call.args[1], call.args[2], weighted);
  Doubles counts(bins.edges.empty() ? 0 : bins.edges.size() - 1, 0.0);
  for (std::size_t i = 0; i < items.size(); ++i)
    if (std::int64_t bin = bin_of(bins, items[i]); bin >= 0) counts[static_cast<std::size_t>(bin)] += weighted ? weights[i] : 1;
  if (!call.args[3].is_none() && ir::as_bool(to_attr(runtime, call.args[3]), "density")) {
    double total = std::accumulate(counts.begin(), counts.end(), 0.0);
    // The widths are differences of the edges as they are given back.
    Array edges = from_doubles(runtime, bins.edges, bins.dtype), upper = edges;
    edges.shape[0] = upper.shape[0] = static_cast<std::int64_t>(counts.size());
    upper.data += upper.strides[0];
    Doubles widths = doubles_of(runtime, runtime.run1(OpId::Subtract, call.backend, {&upper, &edges}));
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = counts[i] / widths[i] / total;
    dtype = DType::Float64;
  }
  Array histogram = from_doubles(runtime, counts, dtype), edges = from_doubles(runtime, bins.edges, bins.dtype);
  histogram.backend = edges.backend = call.backend;
  return make_tuple({from_array(std::move(histogram), false), from_array(std::move(edges), false)});
}

}  // namespace

std::span<const HostRow> histogram_hosts() {
  static constexpr HostRow kRows[] = {{OpId::Histogram, histogram_host}};
  return kRows;
}

}  // namespace autoray::runtime
