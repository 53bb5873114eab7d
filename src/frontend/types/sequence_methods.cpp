// Methods of list, tuple and range; sorting.
#include <algorithm>

#include "frontend/types/methods.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::List;
using runtime::ObjectKind;
using runtime::Tuple;

// sorted() and list.sort(): stable; an exception of the script's leaves the list as it was.
void sort_values(Runtime& runtime, std::vector<Value>& items, const Value* key, bool reverse) {
  struct Keyed {
    Value key, value;
  };
  std::vector<Keyed> keyed;
  keyed.reserve(items.size());
  for (const Value& item : items) {
    Value k = item;
    if (key && !key->is_none()) k = call(runtime, *key, {std::span(&item, 1), {}, {}});
    keyed.push_back({std::move(k), item});
  }
  // Merge sort of our own: std::stable_sort may not see a comparison that throws or contradicts itself.
  std::vector<Keyed> buffer(keyed.size());
  auto before = [&](const Keyed& a, const Keyed& b) {
    return reverse ? less(runtime, a.key, b.key) : less(runtime, b.key, a.key);
  };
  for (std::size_t width = 1; width < keyed.size(); width *= 2) {
    runtime.poll();
    for (std::size_t low = 0; low < keyed.size(); low += 2 * width) {
      std::size_t middle = std::min(low + width, keyed.size()), high = std::min(low + 2 * width, keyed.size());
      std::size_t i = low, j = middle, k = low;
      // Already in order: the common case of nearly sorted input.
      while (i < middle && j < high) buffer[k++] = std::move(before(keyed[i], keyed[j]) ? keyed[j++] : keyed[i++]);
      while (i < middle) buffer[k++] = std::move(keyed[i++]);
      while (j < high) buffer[k++] = std::move(keyed[j++]);
    }
    keyed.swap(buffer);
  }
  for (std::size_t i = 0; i < keyed.size(); ++i) items[i] = std::move(keyed[i].value);
}

namespace {

List& list_of(const Value& v) { return v.as<List>(); }

Value list_append(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "list.append", 1, 1);
  list_of(self).items.push_back(a.positional[0]);
  return Value::none();
}
Value list_extend(Runtime& runtime, const Value& self, const Arguments& a) {
  check_arguments(a, "list.extend", 1, 1);
  std::vector<Value> items = collect(runtime, a.positional[0]);
  auto& own = list_of(self).items;
  own.insert(own.end(), items.begin(), items.end());
  return Value::none();
}
Value list_insert(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "insert", 2, 2);
  auto& items = list_of(self).items;
  auto n = static_cast<std::int64_t>(items.size());
  std::int64_t i = index_of(a.positional[0], "insert");
  if (i < 0) i = std::max<std::int64_t>(0, i + n);
  items.insert(items.begin() + std::min(i, n), a.positional[1]);
  return Value::none();
}
Value list_pop(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "pop", 0, 1);
  auto& items = list_of(self).items;
  auto n = static_cast<std::int64_t>(items.size());
  if (n == 0) throw Error(ErrorClass::IndexError, "pop from empty list");
  std::int64_t i = a.positional.empty() ? n - 1 : index_of(a.positional[0], "pop");
  if (i < 0) i += n;
  if (i < 0 || i >= n) throw Error(ErrorClass::IndexError, "pop index out of range");
  Value item = std::move(items[static_cast<std::size_t>(i)]);
  items.erase(items.begin() + i);
  return item;
}
std::size_t find_in(Runtime& runtime, const std::vector<Value>& items, const Value& x) {
  for (std::size_t i = 0; i < items.size(); ++i)
    if (items[i].identical(x) || equal(runtime, items[i], x)) return i;
  return items.size();
}
Value list_remove(Runtime& runtime, const Value& self, const Arguments& a) {
  check_arguments(a, "list.remove", 1, 1);
  auto& items = list_of(self).items;
  std::size_t i = find_in(runtime, items, a.positional[0]);
  if (i == items.size()) throw Error(ErrorClass::ValueError, "list.remove(x): x not in list");
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
  return Value::none();
}
Value sequence_index(Runtime& runtime, const Value& self, const Arguments& a) {
  check_arguments(a, "index", 1, 3);
  bool list = self.is(ObjectKind::List);
  auto& items = list ? list_of(self).items : self.as<Tuple>().items;
  auto n = static_cast<std::int64_t>(items.size());
  std::int64_t from = a.positional.size() > 1 ? index_of(a.positional[1], "index") : 0,
               to = a.positional.size() > 2 ? index_of(a.positional[2], "index") : n;
  if (from < 0) from = std::max<std::int64_t>(0, from + n);
  if (to < 0) to += n;
  for (std::int64_t i = from; i < std::min(to, n); ++i)
    if (items[static_cast<std::size_t>(i)].identical(a.positional[0]) ||
        equal(runtime, items[static_cast<std::size_t>(i)], a.positional[0]))
      return Value::integer(i);
  throw Error(ErrorClass::ValueError,
              list ? repr(runtime, a.positional[0]) + " is not in list" : "tuple.index(x): x not in tuple");
}
Value sequence_count(Runtime& runtime, const Value& self, const Arguments& a) {
  check_arguments(a, "count", 1, 1);
  auto& items = self.is(ObjectKind::List) ? list_of(self).items : self.as<Tuple>().items;
  std::int64_t n = 0;
  for (const Value& item : items) n += item.identical(a.positional[0]) || equal(runtime, item, a.positional[0]);
  return Value::integer(n);
}
Value list_sort(Runtime& runtime, const Value& self, const Arguments& a) {
  if (!a.positional.empty()) throw Error(ErrorClass::TypeError, "sort() takes no positional arguments");
  check_keywords(a, "sort", {"key", "reverse"});
  const Value* reverse = keyword(a, "reverse");
  std::vector<Value> items = list_of(self).items;
  sort_values(runtime, items, keyword(a, "key"), reverse && truth(runtime, *reverse));
  list_of(self).items = std::move(items);
  return Value::none();
}
Value list_reverse(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "list.reverse", 0, 0);
  std::reverse(list_of(self).items.begin(), list_of(self).items.end());
  return Value::none();
}
Value list_clear(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "list.clear", 0, 0);
  list_of(self).clear();
  return Value::none();
}
Value list_copy(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "list.copy", 0, 0);
  return runtime::make_list(list_of(self).items);
}

// ---- range ----

bool range_holds(const runtime::Range& r, const Value& v, std::int64_t& position) {
  if (!v.is_int() && !v.is_bool()) return false;
  std::int64_t x = v.is_int() ? v.as_int() : v.as_bool();
  if (r.step > 0 ? x < r.start || x >= r.stop : x > r.start || x <= r.stop) return false;
  position = (x - r.start) / r.step;
  return (x - r.start) % r.step == 0;
}
Value range_index(Runtime& runtime, const Value& self, const Arguments& a) {
  check_arguments(a, "range.index", 1, 1);
  std::int64_t position = 0;
  if (range_holds(self.as<runtime::Range>(), a.positional[0], position)) return Value::integer(position);
  throw Error(ErrorClass::ValueError, repr(runtime, a.positional[0]) + " is not in range");
}
Value range_count(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "range.count", 1, 1);
  std::int64_t position = 0;
  return Value::integer(range_holds(self.as<runtime::Range>(), a.positional[0], position));
}

constexpr MethodRow kList[] = {{"append", list_append},   {"extend", list_extend}, {"insert", list_insert},
                               {"pop", list_pop},         {"remove", list_remove}, {"index", sequence_index},
                               {"count", sequence_count}, {"sort", list_sort},     {"reverse", list_reverse},
                               {"clear", list_clear},     {"copy", list_copy}};
constexpr MethodRow kTuple[] = {{"index", sequence_index}, {"count", sequence_count}};
constexpr MethodRow kRange[] = {{"index", range_index}, {"count", range_count}};

}  // namespace

std::span<const MethodRow> list_methods() { return kList; }
std::span<const MethodRow> tuple_methods() { return kTuple; }
std::span<const MethodRow> range_methods() { return kRange; }

}  // namespace autoray::frontend
