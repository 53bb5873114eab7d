#include "ir/rules/einsum_path.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "ir/error.h"
#include "ir/rules/movement.h"

namespace autoray::ir {

namespace {

using Labels = std::set<std::int64_t>;
using Places = std::vector<std::size_t>;  // ascending

bool has(const Dims& labels, std::int64_t label) { return std::find(labels.begin(), labels.end(), label) != labels.end(); }

struct Contraction {
  Labels result;
  std::vector<Labels> remaining;  // the result last
  double cost = 0;
};

class PathSearch {
 public:
  explicit PathSearch(const Einsum& einsum) : einsum_(einsum), output_(einsum.output.begin(), einsum.output.end()) {
    for (const Dims& labels : einsum.inputs) inputs_.emplace_back(labels.begin(), labels.end());
    limit_ = size(output_);
    for (const Dims& labels : einsum.inputs) limit_ = std::max(limit_, size(labels));
  }

  void limit_memory(double items) { limit_ = items; }
  const std::vector<Labels>& inputs() const { return inputs_; }

  template <class Range>
  double size(const Range& labels) const {
    double product = 1;
    for (std::int64_t label : labels) product *= static_cast<double>(einsum_.extent(label));
    return product;
  }

  Contraction contraction(const Places& places, const std::vector<Labels>& inputs) const {
    Labels contracted, needed = output_;
    Contraction c;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      bool taken = std::find(places.begin(), places.end(), i) != places.end();
      (taken ? contracted : needed).insert(inputs[i].begin(), inputs[i].end());
      if (!taken) c.remaining.push_back(inputs[i]);
    }
    std::set_intersection(needed.begin(), needed.end(), contracted.begin(), contracted.end(),
                          std::inserter(c.result, c.result.end()));
    c.remaining.push_back(c.result);
    double factor = std::max<double>(1, static_cast<double>(places.size()) - 1);
    if (c.result.size() < contracted.size()) factor += 1;
    c.cost = size(contracted) * factor;
    return c;
  }

  std::vector<Places> greedy() const;
  std::vector<Places> optimal() const;

 private:
  struct Candidate {
    double removed, cost;
    Places places;
    std::vector<Labels> inputs;
    bool before(const Candidate& other) const { return removed != other.removed ? removed > other.removed : cost < other.cost; }
  };

  Places everything(std::size_t count) const {
    Places places(count);
    std::iota(places.begin(), places.end(), std::size_t{0});
    return places;
  }

  const Einsum& einsum_;
  Labels output_;
  std::vector<Labels> inputs_;
  double limit_;
};

std::vector<Places> PathSearch::greedy() const {
  std::vector<Labels> inputs = inputs_;
  const double naive = contraction(everything(inputs.size()), inputs).cost;
  std::vector<Candidate> known;
  std::vector<Places> path;
  double spent = 0;
  auto consider = [&](std::size_t i, std::size_t j) {
    Contraction c = contraction({i, j}, inputs);
    double made = size(c.result);
    if (made > limit_ || spent + c.cost > naive) return;
    known.push_back({size(inputs[i]) + size(inputs[j]) - made, c.cost, {i, j}, std::move(c.remaining)});
  };
  auto disjoint = [&](std::size_t i, std::size_t j) {
    return std::none_of(inputs[i].begin(), inputs[i].end(), [&](std::int64_t label) { return inputs[j].contains(label); });
  };
  for (std::size_t round = 0, rounds = inputs.size() - 1; round < rounds; ++round) {
    std::size_t n = inputs.size();
    // Outer products wait. After the first round only pairs with the newest operand are new.
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = round ? n - 1 : i + 1; j < n; ++j)
        if (i < j && !disjoint(i, j)) consider(i, j);
    if (known.empty())
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = i + 1; j < n; ++j) consider(i, j);
    if (known.empty()) {
      path.push_back(everything(n));
      break;
    }
    Candidate best =
        *std::min_element(known.begin(), known.end(), [](const Candidate& a, const Candidate& b) { return a.before(b); });
    std::vector<Candidate> kept;
    std::size_t bx = best.places[0], by = best.places[1];
    for (Candidate& c : known) {
      std::size_t x = c.places[0], y = c.places[1];
      if (x == bx || x == by || y == bx || y == by) continue;
      auto erase = [&](std::size_t at) { c.inputs.erase(c.inputs.begin() + static_cast<std::ptrdiff_t>(at)); };
      erase(by - (by > x) - (by > y));
      erase(bx - (bx > x) - (bx > y));
      c.inputs.insert(c.inputs.end() - 1, best.inputs.back());
      c.places = {x - (x > bx) - (x > by), y - (y > bx) - (y > by)};
      kept.push_back(std::move(c));
    }
    known = std::move(kept);
    inputs = best.inputs;
    path.push_back(best.places);
    spent += best.cost;
  }
  return path;
}

std::vector<Places> PathSearch::optimal() const {
  struct State {
    double cost;
    std::vector<Places> path;
    std::vector<Labels> inputs;
  };
  std::vector<State> states = {{0, {}, inputs_}};
  auto cheapest = [&] {
    return std::min_element(states.begin(), states.end(), [](const State& a, const State& b) { return a.cost < b.cost; })->path;
  };
  for (std::size_t round = 0; round + 1 < inputs_.size(); ++round) {
    std::vector<State> next;
    std::size_t n = inputs_.size() - round;
    for (const State& state : states)
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = i + 1; j < n; ++j) {
          Contraction c = contraction({i, j}, state.inputs);
          if (size(c.result) > limit_) continue;
          std::vector<Places> path = state.path;
          path.push_back({i, j});
          next.push_back({state.cost + c.cost, std::move(path), std::move(c.remaining)});
        }
    if (next.empty()) {
      std::vector<Places> path = cheapest();
      path.push_back(everything(n));
      return path;
    }
    states = std::move(next);
  }
  return cheapest();
}

[[noreturn]] void not_understood() { throw Error(ErrorClass::TypeError, "Did not understand the path"); }

// ('einsum_path', (0, 1), ...)
std::vector<Places> given_path(const Attr::Tuple& parts) {
  std::vector<Places> path;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    auto step = as_axes(parts[i], "optimize");
    if (!step) not_understood();
    Places places;
    for (std::int64_t place : *step) places.push_back(static_cast<std::size_t>(place));
    std::sort(places.begin(), places.end());
    path.push_back(places);
  }
  return path;
}

}  // namespace

bool einsum_is_stepwise(const Attr& optimize) {
  auto* flag = optimize.get<bool>();
  return !flag || *flag;
}

std::vector<EinsumStep> einsum_steps(const Einsum& einsum, const Attr& optimize) {
  PathSearch search(einsum);
  std::string method = optimize.get<bool>() ? "greedy" : "";
  std::vector<Places> path;
  if (auto* text = optimize.get<std::string>()) method = *text;
  if (auto* parts = optimize.get<Attr::Tuple>()) {
    auto* name = parts->empty() ? nullptr : (*parts)[0].get<std::string>();
    if (!name) not_understood();
    if (*name == "einsum_path")
      path = given_path(*parts);
    else if (parts->size() == 2)
      search.limit_memory(as_double((*parts)[1], "optimize"));
    else
      not_understood();
    if (path.empty()) method = *name;
  } else if (!optimize.none() && method.empty()) {
    not_understood();
  }
  std::size_t count = einsum.inputs.size();
  Labels all;
  for (const Labels& labels : search.inputs()) all.insert(labels.begin(), labels.end());
  if (path.empty()) {
    if (method.empty() || count <= 2 || all == Labels(einsum.output.begin(), einsum.output.end())) {
      path.emplace_back(count);
      std::iota(path[0].begin(), path[0].end(), std::size_t{0});
    } else if (method == "greedy") {
      path = search.greedy();
    } else if (method == "optimal") {
      path = search.optimal();
    } else {
      throw Error(ErrorClass::KeyError, "Path name " + method + " not found");
    }
  }
  std::vector<EinsumStep> steps;
  std::vector<Labels> inputs = search.inputs();
  for (const Places& places : path) {
    if (places.empty() || places.back() >= inputs.size()) not_understood();
    Contraction c = search.contraction(places, inputs);
    EinsumStep step{{places.rbegin(), places.rend()}, {}};
    bool last = &places == &path.back();
    if (last)
      step.result = einsum.output;
    else
      for (std::int64_t label : c.result) step.result.push_back(label);
    steps.push_back(std::move(step));
    inputs = std::move(c.remaining);
  }
  if (inputs.size() != 1)
    throw Error(ErrorClass::RuntimeError, "Invalid einsum_path is specified: " + std::to_string(inputs.size() - 1) +
                                              " more operands has to be contracted.");
  return steps;
}

EinsumPair einsum_pair(const Dims& a, const Dims& a_shape, const Dims& b, const Dims& b_shape, const Dims& result) {
  auto wide = [](const Dims& labels, const Dims& shape) {
    Dims list;
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (shape[i] != 1 && !has(list, labels[i])) list.push_back(labels[i]);
    return list;
  };
  Dims left = wide(a, a_shape), right = wide(b, b_shape);
  EinsumPair pair;
  for (std::int64_t label : left) {
    if (has(right, label))
      (has(result, label) ? pair.batch : pair.summed).push_back(label);
    else if (has(result, label))
      pair.free_a.push_back(label);
  }
  for (std::int64_t label : right)
    if (!has(left, label) && has(result, label)) pair.free_b.push_back(label);
  return pair;
}

void infer_einsum_steps(Inference& inference, const Einsum& einsum, std::vector<Dims> shapes, std::vector<DType> dtypes) {
  std::vector<Dims> inputs = einsum.inputs;
  auto asked = as_dtype(attribute(inference, "dtype"));
  const std::string& casting = as_string(attribute(inference, "casting"), "casting");
  // The loop over all operands casts safely where nothing else was asked for, the ufuncs more freely.
  Casting rule = casting == "safe" ? Casting::SameKind : einsum_casting(casting);
  Kind kind = inference.results[0].kind;
  for (const EinsumStep& step : einsum_steps(einsum, attribute(inference, "optimize"))) {
    std::vector<Dims> taken, taken_shapes;
    std::vector<DType> taken_dtypes;
    for (std::size_t place : step.places) {
      auto take = [place](auto& from, auto& to) {
        to.push_back(std::move(from[place]));
        from.erase(from.begin() + static_cast<std::ptrdiff_t>(place));
      };
      take(inputs, taken);
      take(shapes, taken_shapes);
      take(dtypes, taken_dtypes);
    }
    Dims shape(step.result.size(), 1);
    for (std::size_t i = 0; i < taken.size(); ++i)
      for (std::size_t axis = 0; axis < taken[i].size(); ++axis)
        for (std::size_t r = 0; r < shape.size(); ++r)
          if (step.result[r] == taken[i][axis] && taken_shapes[i][axis] != 1) shape[r] = taken_shapes[i][axis];
    kind = inference.results[0].shape.empty() ? Kind::Scalar : Kind::Array;
    DType dtype;
    if (taken.size() == 2) {
      if (attribute(inference, "order").none())
        throw Error(ErrorClass::AttributeError, "'NoneType' object has no attribute 'upper'");
      bool multiplied = einsum_pair(taken[0], taken_shapes[0], taken[1], taken_shapes[1], step.result).multiplied();
      dtype = asked.value_or(promote(taken_dtypes[0], taken_dtypes[1]));
      for (std::size_t i = 0; i < 2; ++i)
        if (!can_cast(taken_dtypes[i], dtype, rule))
          throw Error(ErrorClass::UFuncTypeError, std::string("Cannot cast ufunc '") + (multiplied ? "multiply" : "matmul") +
                                                      "' input " + std::to_string(i) + " from dtype('" +
                                                      std::string(name(taken_dtypes[i])) + "') to dtype('" +
                                                      std::string(name(dtype)) + "') with casting rule '" +
                                                      (casting == "safe" ? "same_kind" : casting) + "'");
      if (!multiplied) kind = Kind::Array;
    } else {
      dtype = einsum_dtype(taken, step.result, taken_dtypes, asked, casting);
    }
    inputs.push_back(step.result);
    shapes.push_back(shape);
    dtypes.push_back(dtype);
  }
  inference.results[0].dtype = dtypes[0];
  inference.results[0].kind = kind;
}

}  // namespace autoray::ir
