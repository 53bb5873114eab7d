// itertools: lazy iterators, each a closure over its state.
#include <algorithm>
#include <memory>

#include "frontend/modules/module_object.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::make;

namespace {

// An iterator that a closure drives.
class Driven final : public runtime::Iterator {
 public:
  using Step = std::function<bool(Runtime&, Value&)>;
  Driven(const char* type, Step step) : type_(type), step_(std::move(step)) {}
  std::string_view iterator_type() const override { return type_; }
  bool advance(Runtime& runtime, Value& result) override { return step_ && step_(runtime, result); }
  void clear() override { step_ = nullptr; }

 private:
  const char* type_;
  Step step_;
};
Value it_count(Runtime& runtime, const Arguments& a) {
  (void)runtime;
  Value value = a.positional.empty() ? keyword(a, "start") ? *keyword(a, "start") : Value::integer(0) : a.positional[0];
  Value step = a.positional.size() > 1 ? a.positional[1] : keyword(a, "step") ? *keyword(a, "step") : Value::integer(1);
  return make<Driven>("count", [value, step](Runtime& r, Value& out) mutable {
    out = value;
    value = binary(r, BinaryOperator::Add, value, step);
    return true;
  });
}
Value it_repeat(Runtime&, const Arguments& a) {
  check_arguments(a, "repeat", 1, 2);
  std::int64_t n = a.positional.size() > 1 ? index_of(a.positional[1], "times") : -1;
  return make<Driven>("repeat", [v = a.positional[0], n](Runtime&, Value& out) mutable {
    if (n == 0) return false;
    if (n > 0) --n;
    out = v;
    return true;
  });
}
Value it_cycle(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "cycle", 1, 1);
  return make<Driven>("cycle", [inner = iterate(runtime, a.positional[0]), seen = std::vector<Value>(), at = std::size_t{0}](
                                   Runtime& r, Value& out) mutable {
    if (inner) {
      if (inner->next(r, out)) {
        seen.push_back(out);
        return true;
      }
      inner = nullptr;
    }
    if (seen.empty()) return false;
    out = seen[at++ % seen.size()];
    return true;
  });
}
Value chain_of(runtime::Ref<runtime::Iterator> sources) {
  return make<Driven>("chain", [sources, current = runtime::Ref<runtime::Iterator>()](Runtime& r, Value& out) mutable {
    for (;;) {
      Value source;
      if (!current) {
        if (!sources->next(r, source)) return false;
        current = iterate(r, source);
      }
      if (current->next(r, out)) return true;
      current = nullptr;
    }
  });
}
Value it_accumulate(Runtime& runtime, const Arguments& a) {
  check_arguments({a.positional, {}, {}}, "accumulate", 1, 2);
  Value f = a.positional.size() > 1 ? a.positional[1] : keyword(a, "func") ? *keyword(a, "func") : Value::none();
  Value total = keyword(a, "initial") ? *keyword(a, "initial") : Value();
  if (total.is_none()) total = Value();
  bool first = !total.empty();
  return make<Driven>(
      "accumulate", [inner = iterate(runtime, a.positional[0]), f, total, first](Runtime& r, Value& out) mutable {
        if (first) {
          first = false;
          out = total;
          return true;
        }
        Value item;
        if (!inner->next(r, item)) return false;
        const Value pair[] = {total, item};
        total = total.empty() ? item : f.is_none() ? binary(r, BinaryOperator::Add, total, item) : call(r, f, {pair, {}, {}});
        out = total;
        return true;
      });
}
Value it_product(Runtime& runtime, const Arguments& a) {
  std::vector<std::vector<Value>> pools;
  std::int64_t repeat = keyword(a, "repeat") ? index_of(*keyword(a, "repeat"), "repeat") : 1;
  for (std::int64_t k = 0; k < repeat; ++k)
    for (const Value& v : a.positional) pools.push_back(collect(runtime, v));
  return make<Driven>("product",
                      [pools, index = std::vector<std::size_t>(pools.size()), done = false](Runtime&, Value& out) mutable {
                        if (done) return false;
                        for (auto& p : pools)
                          if (p.empty()) return false;
                        std::vector<Value> items;
                        for (std::size_t i = 0; i < pools.size(); ++i) items.push_back(pools[i][index[i]]);
                        out = runtime::make_tuple(std::move(items));
                        std::size_t i = pools.size();
                        while (i-- > 0) {
                          if (++index[i] < pools[i].size()) return true;
                          index[i] = 0;
                        }
                        done = true;
                        return true;
                      });
}
// Index tuples in lexicographic order: combinations (rising), with replacement (not falling), permutations (distinct).
enum class Pick { Combinations, Replacement, Permutations };
template <Pick P>
Value it_pick(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "combinations", P == Pick::Permutations ? 1 : 2, 2);
  std::vector<Value> pool = collect(runtime, a.positional[0]);
  std::int64_t n = static_cast<std::int64_t>(pool.size()),
               r = a.positional.size() > 1 && !a.positional[1].is_none() ? index_of(a.positional[1], "r") : n;
  if (r < 0) throw Error(ErrorClass::ValueError, "r must be non-negative");
  return make<Driven>("combinations", [pool, n, r, index = std::vector<std::int64_t>(), started = false, done = false](
                                          Runtime&, Value& out) mutable {
    auto valid = [&](std::size_t i) {
      if (P == Pick::Replacement) return i == 0 || index[i] >= index[i - 1];
      if (P == Pick::Combinations) return i == 0 || index[i] > index[i - 1];
      for (std::size_t k = 0; k < i; ++k)
        if (index[k] == index[i]) return false;
      return true;
    };
    // Fills from position i with the least valid values; false when there are none.
    auto fill = [&](std::size_t i) {
      for (; i < index.size(); ++i) {
        while (index[i] < n && !valid(i)) ++index[i];
        if (index[i] >= n) return false;
      }
      return true;
    };
    if (done) return false;
    if (!started) {
      started = true;
      index.assign(static_cast<std::size_t>(r), 0);
      if ((P != Pick::Replacement && r > n) || !fill(0)) {
        done = true;
        return false;
      }
    } else {
      std::size_t i = index.size();
      for (;;) {
        if (i == 0) {
          done = true;
          return false;
        }
        --i;
        ++index[i];
        std::fill(index.begin() + static_cast<std::ptrdiff_t>(i) + 1, index.end(), 0);
        if (fill(i)) break;
      }
    }
    std::vector<Value> items;
    for (std::int64_t k : index) items.push_back(pool[static_cast<std::size_t>(k)]);
    out = runtime::make_tuple(std::move(items));
    return true;
  });
}
Value it_islice(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "islice", 2, 4);
  std::int64_t start = 0, stop = -1, step = 1;
  auto part = [&](std::size_t i, std::int64_t fallback) {
    if (a.positional.size() <= i || a.positional[i].is_none()) return fallback;
    std::int64_t value = is_integer_value(a.positional[i]) ? index_of(a.positional[i], "islice") : -1;
    bool stop_alone = a.positional.size() == 2;
    if (value < (i == 3 ? 1 : 0))
      throw Error(ErrorClass::ValueError, i == 3 ? "Step for islice() must be a positive integer or None."
                                          : stop_alone
                                              ? "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize."
                                              : "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.");
    return value;
  };
  if (a.positional.size() == 2)
    stop = part(1, -1);
  else {
    start = part(1, 0);
    stop = part(2, -1);
    step = part(3, 1);
  }
  return make<Driven>("islice", [inner = iterate(runtime, a.positional[0]), start, stop, step, at = std::int64_t{0}](
                                    Runtime& r, Value& out) mutable {
    for (;;) {
      if (stop >= 0 && start >= stop) return false;
      if (!inner->next(r, out)) return false;
      if (at++ == start) {
        start += step;
        return true;
      }
    }
  });
}
Value it_starmap(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "starmap", 2, 2);
  return make<Driven>("starmap", [f = a.positional[0], inner = iterate(runtime, a.positional[1])](Runtime& r, Value& out) {
    Value item;
    if (!inner->next(r, item)) return false;
    out = call(r, f, {collect(r, item), {}, {}});
    return true;
  });
}
template <bool Take>
Value it_while(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "takewhile", 2, 2);
  return make<Driven>("takewhile", [f = a.positional[0], inner = iterate(runtime, a.positional[1]), over = false](
                                       Runtime& r, Value& out) mutable {
    for (;;) {
      if (Take && over) return false;
      if (!inner->next(r, out)) return false;
      bool holds = (!Take && over) || truth(r, call(r, f, {std::span(&out, 1), {}, {}}));
      if (Take) {
        over = !holds;
        return holds;
      }
      if (!over && holds) continue;
      over = true;
      return true;
    }
  });
}
Value it_zip_longest(Runtime& runtime, const Arguments& a) {
  Value fill = keyword(a, "fillvalue") ? *keyword(a, "fillvalue") : Value::none();
  std::vector<runtime::Ref<runtime::Iterator>> inner;
  for (const Value& v : a.positional) inner.push_back(iterate(runtime, v));
  return make<Driven>("zip_longest", [inner, fill](Runtime& r, Value& out) mutable {
    std::vector<Value> items;
    bool some = false;
    for (auto& i : inner) {
      Value v;
      if (i && i->next(r, v))
        some = true;
      else {
        i = nullptr;
        v = fill;
      }
      items.push_back(v);
    }
    if (some) out = runtime::make_tuple(std::move(items));
    return some;
  });
}
Value it_pairwise(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "pairwise", 1, 1);
  return make<Driven>("pairwise", [inner = iterate(runtime, a.positional[0]), last = Value()](Runtime& r, Value& out) mutable {
    if (last.empty() && !inner->next(r, last)) return false;
    Value next;
    if (!inner->next(r, next)) return false;
    out = runtime::make_tuple({last, next});
    last = next;
    return true;
  });
}
// Groups share the underlying iterator, as in CPython: going on to the next group ends the one before.
struct Grouping {
  runtime::Ref<runtime::Iterator> inner;
  Value key_function, key, item;
  std::uint64_t group = 0;
  bool over = false;

  // Reads one item ahead; false at the end.
  bool read(Runtime& r) {
    if (over || !inner->next(r, item)) {
      over = true;
      return false;
    }
    Value fresh = key_function.is_none() ? item : call(r, key_function, {std::span(&item, 1), {}, {}});
    if (key.empty() || !equal(r, fresh, key)) {
      key = std::move(fresh);
      ++group;
    }
    return true;
  }
};
Value it_groupby(Runtime& runtime, const Arguments& a) {
  check_keywords(a, "groupby", {"iterable", "key"});
  check_arguments({a.positional, {}, {}}, "groupby", 1, 2);
  auto state = std::make_shared<Grouping>();
  state->key_function = a.positional.size() > 1 ? a.positional[1] : keyword(a, "key") ? *keyword(a, "key") : Value::none();
  state->inner = iterate(runtime, a.positional[0]);
  return make<Driven>("groupby", [state, given = std::uint64_t{0}](Runtime& r, Value& out) mutable {
    while (state->group == given)
      if (!state->read(r)) return false;
    if (state->over) return false;
    given = state->group;
    auto group = make<Driven>("_grouper", [state, own = given, first = true](Runtime& inner, Value& item) mutable {
      if (state->group != own || (!first && !state->read(inner)) || state->group != own) return false;
      if (first && state->over) return false;
      first = false;
      item = state->item;
      return true;
    });
    out = runtime::make_tuple({state->key, group});
    return true;
  });
}
Value it_filterfalse(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "filterfalse", 2, 2);
  return make<Driven>("filterfalse", [f = a.positional[0], inner = iterate(runtime, a.positional[1])](Runtime& r, Value& out) {
    while (inner->next(r, out))
      if (!truth(r, f.is_none() ? out : call(r, f, {std::span(&out, 1), {}, {}}))) return true;
    return false;
  });
}
Value it_compress(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "compress", 2, 2);
  return make<Driven>("compress", [data = iterate(runtime, a.positional[0]), selectors = iterate(runtime, a.positional[1])](
                                      Runtime& r, Value& out) {
    Value selector;
    while (data->next(r, out) && selectors->next(r, selector))
      if (truth(r, selector)) return true;
    return false;
  });
}
// What one branch has read and another has not yet is kept in common.
struct Branches {
  runtime::Ref<runtime::Iterator> inner;
  std::vector<Value> read;
};
Value it_tee(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "tee", 1, 2);
  std::int64_t n = a.positional.size() > 1 ? index_of(a.positional[1], "n") : 2;
  if (n < 0) throw Error(ErrorClass::ValueError, "n must be >= 0");
  auto shared = std::make_shared<Branches>();
  shared->inner = iterate(runtime, a.positional[0]);
  std::vector<Value> branches;
  for (std::int64_t k = 0; k < n; ++k)
    branches.push_back(make<Driven>("_tee", [shared, at = std::size_t{0}](Runtime& r, Value& out) mutable {
      if (at == shared->read.size()) {
        Value item;
        if (!shared->inner->next(r, item)) return false;
        shared->read.push_back(std::move(item));
      }
      out = shared->read[at++];
      return true;
    }));
  return runtime::make_tuple(std::move(branches));
}

// itertools.chain is a function with one more way to be called.
class Chain final : public runtime::Callable {
 public:
  std::string callable_name() const override { return "chain"; }
  Value call(Runtime& runtime, const Arguments& a) override {
    check_arguments(a, "chain", 0, a.positional.size());
    return chain_of(iterate(runtime, runtime::make_tuple({a.positional.begin(), a.positional.end()})));
  }
  bool get_attribute(Runtime&, std::string_view name, Value& result) override {
    if (name != "from_iterable") return false;
    result = runtime::make_native("from_iterable", [](Runtime& r, const Arguments& a) {
      check_arguments(a, "chain.from_iterable", 1, 1);
      return chain_of(iterate(r, a.positional[0]));
    });
    return true;
  }
};

constexpr FunctionRow kItertools[] = {{"count", it_count},
                                      {"repeat", it_repeat},
                                      {"cycle", it_cycle},
                                      {"accumulate", it_accumulate},
                                      {"product", it_product},
                                      {"combinations", it_pick<Pick::Combinations>},
                                      {"combinations_with_replacement", it_pick<Pick::Replacement>},
                                      {"permutations", it_pick<Pick::Permutations>},
                                      {"islice", it_islice},
                                      {"starmap", it_starmap},
                                      {"takewhile", it_while<true>},
                                      {"dropwhile", it_while<false>},
                                      {"zip_longest", it_zip_longest},
                                      {"pairwise", it_pairwise},
                                      {"groupby", it_groupby},
                                      {"filterfalse", it_filterfalse},
                                      {"compress", it_compress},
                                      {"tee", it_tee}};

Value find_itertools(Runtime&, std::string_view name) {
  return name == "chain" ? Value(make<Chain>()) : find_function(kItertools, name);
}
std::vector<std::string_view> itertools_names() {
  std::vector<std::string_view> names = names_of<kItertools>();
  names.push_back("chain");
  return names;
}

}  // namespace

Value make_itertools_module(Runtime&) { return make<ModuleObject>("itertools", find_itertools, itertools_names); }

}  // namespace autoray::frontend
