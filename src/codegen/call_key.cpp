#include "codegen/call_key.h"

#include "ir/dtype.h"
#include "ir/error.h"
#include "runtime/dispatch.h"

namespace autoray::codegen {

using runtime::Array;
using runtime::ArrayObject;
using runtime::ObjectKind;
using runtime::Value;

namespace {

constexpr int kDeepest = 200;

template <class Sink, class T>
[[gnu::always_inline]] inline bool put(Sink& sink, char kind, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  return sink.put(&kind, 1) && sink.put(&value, sizeof value);
}
template <class Sink>
bool put(Sink& sink, char kind, std::string_view text) {
  return put(sink, kind, text.size()) && sink.put(text.data(), text.size());
}

template <class Sink>
[[gnu::always_inline]] inline bool read_array(Sink& sink, const Array& array, runtime::BackendId backend) {
  std::uint64_t head = std::uint64_t{static_cast<std::uint8_t>(array.dtype)} | std::uint64_t{array.can_write()} << 8 |
                       std::uint64_t{backend} << 16 | std::uint64_t{array.shape.size()} << 32 | std::uint64_t{'A'} << 56;
  if (!sink.put_array(head, array.shape, array.strides)) return false;
  sink.part(
      [&] { return ir::to_string(array.type()) + (array.c_contiguous() ? "" : " strides " + ir::to_string(array.strides)); });
  return true;
}

template <class Sink>
struct Reader {
  Sink& sink;
  Reading& reading;
  bool captured = false;  // values count as they are, and arrays alone are leaves
  bool in_key = false;    // of a dictionary's key or a set: values count, and nothing is a leaf

  bool by_value() const { return captured || in_key; }
  void add(const Value& v, const Array* array, bool traced) {
    if (!in_key && (array || !captured)) reading.leaves.push_back({&v, array, traced});
  }
  bool read_key(const Value& v, int depth) {
    bool outer = std::exchange(in_key, true), same = read(v, depth);
    in_key = outer;
    return same;
  }

  // Containers are read in order; dictionaries with their keys.
  bool read(const Value& v, int depth) {
    if (depth > kDeepest)
      throw ir::Error(ir::ErrorClass::RecursionError, "containers are nested too deeply, or contain themselves");
    auto all = [&](const std::vector<Value>& items) {
      for (const Value& item : items)
        if (!read(item, depth + 1)) return false;
      return true;
    };
    if (!v.is_object()) return read_immediate(v);
    switch (v.object()->kind()) {
      case ObjectKind::List: {
        auto& items = v.as<runtime::List>().items;
        return put(sink, '[', items.size()) && all(items);
      }
      case ObjectKind::Tuple: {
        auto& items = v.as<runtime::Tuple>().items;
        return put(sink, '(', items.size()) && all(items);
      }
      case ObjectKind::Dict: {
        auto& dict = v.as<runtime::Dict>();
        if (!put(sink, '{', dict.size())) return false;
        for (auto& entry : dict.entries()) {
          if (entry.key.empty()) continue;
          if (!read_key(entry.key, depth + 1) || !read(entry.value, depth + 1)) return false;
        }
        return true;
      }
      case ObjectKind::Set: {
        add(v, nullptr, false);
        auto& set = v.as<runtime::Set>();
        if (!put(sink, '<', set.items->size())) return false;
        for (auto& entry : set.items->entries())
          if (!entry.key.empty() && !read_key(entry.key, depth + 1)) return false;
        return true;
      }
      default: return read_object(v);
    }
  }

  bool read_object(const Value& v) {
    if (auto* a = v.get_if<ArrayObject>()) {
      if (captured && reading.captured_static)
        return read_array(sink, a->array, a->array.backend) && read_elements(a->array, a->array.data);
      add(v, &a->array, true);
      return read_array(sink, a->array, a->array.backend);
    }
    if (auto* s = v.get_if<runtime::NumpyScalar>()) {
      add(v, nullptr, true);
      sink.part([&] { return std::string(ir::name(s->dtype)) + " scalar"; });
      return put(sink, 'S', s->dtype) && (!by_value() || sink.put(s->data, ir::itemsize(s->dtype)));
    }
    add(v, nullptr, false);
    reading.lazy = reading.lazy || v.is(ObjectKind::Lazy);
    if (auto* text = v.get_if<runtime::Str>()) {
      sink.part([&] { return "'" + text->text + "'"; });
      return put(sink, 's', std::string_view(text->text));
    }
    if (auto* c = v.get_if<runtime::Complex>()) {
      sink.part([&] { return std::string("complex"); });
      return put(sink, 'c', c->value);
    }
    // By identity: whoever keeps the key keeps the object alive.
    sink.hold(v);
    sink.part([&] { return runtime::type_name(v); });
    return put(sink, 'o', v.object());
  }

  bool read_immediate(const Value& v) {
    bool traced = v.is_float() && !reading.floats_static && !by_value();
    add(v, nullptr, traced);
    if (traced) {
      sink.part([] { return std::string("float"); });
      return sink.put("f", 1);
    }
    if (v.is_float()) {
      sink.part([&] { return "float " + std::to_string(v.as_float()); });
      return put(sink, 'F', v.as_float());
    }
    sink.part([&] {
      return v.is_int() ? std::to_string(v.as_int()) : v.is_bool() ? (v.as_bool() ? "True" : "False") : runtime::type_name(v);
    });
    return put(sink, 'v', v.tag()) && put(sink, 'v', v.is_bool() ? std::int64_t{v.as_bool()} : v.is_int() ? v.as_int() : 0);
  }

  // All elements in C order.
  bool read_elements(const Array& array, const char* data, std::size_t axis = 0) {
    const std::size_t item = ir::itemsize(array.dtype);
    if (axis == array.shape.size()) return sink.put(data, item);
    bool dense = axis + 1 == array.shape.size() && array.strides[axis] == static_cast<std::int64_t>(item);
    if (dense) return sink.put(data, item * static_cast<std::size_t>(array.shape[axis]));
    for (std::int64_t i = 0; i < array.shape[axis]; ++i)
      if (!read_elements(array, data + i * array.strides[axis], axis + 1)) return false;
    return true;
  }

  // Which arrays are one, and which overlap, of the leaves from `first` on.
  bool read_aliases(std::size_t first = 1) {
    for (std::size_t i = std::max<std::size_t>(first, 1); i < reading.leaves.size(); ++i) {
      if (!reading.leaves[i].array) continue;
      const Array& x = *reading.leaves[i].array;
      for (std::size_t k = 0; k < i; ++k) {
        if (!reading.leaves[k].array) continue;
        const Array& y = *reading.leaves[k].array;
        if (is_same(x, y)) {
          reading.leaves[i].same_as = static_cast<int>(k);
          if (!put(sink, '=', i << 32 | k)) return false;
          break;
        }
        if (runtime::may_overlap(x, y)) reading.overlap = true;
      }
    }
    return !reading.overlap || sink.put("~", 1);
  }

  [[gnu::always_inline]] bool read_options(std::size_t positional) {
    std::uint64_t head = 'o' | std::uint64_t{static_cast<std::uint8_t>(reading.backend)} << 8 |
                         std::uint64_t{reading.floats_static} << 16 | std::uint64_t{reading.captured_static} << 24 |
                         std::uint64_t{positional} << 32;
    return sink.put(&head, sizeof head);
  }

  bool read_call(const runtime::Arguments& arguments) {
    return read_options(arguments.positional.size()) && read_arguments(arguments, 0);
  }
  // All but the first ones in position, which have been read.
  bool read_arguments(const runtime::Arguments& arguments, std::size_t first) {
    for (const Value& v : arguments.positional.subspan(first))
      if (!read(v, 0)) return false;
    for (std::size_t i = 0; i < arguments.keyword_names.size(); ++i)
      if (!put(sink, 'k', arguments.keyword_names[i]) || !read(arguments.keyword_values[i], 0)) return false;
    return read_aliases();
  }

  bool read_captured(std::span<const runtime::CapturedPlace> places) {
    const std::size_t first = reading.leaves.size();
    captured = true;
    for (const runtime::CapturedPlace& place : places) {
      const Value* v = place.value();
      if (place.varies && v && v->is_float()) {
        reading.leaves.push_back({v, nullptr, true});
        sink.part([] { return std::string("float"); });
        if (!sink.put("f", 1)) return false;
      } else if (v ? !read(*v, 0) : !sink.put("-", 1)) {
        return false;
      }
    }
    return read_aliases(first);
  }
};

// Whether an array has a block of our own to itself among the leaves `from` to `to`: it is none of theirs and overlaps none.
[[gnu::always_inline]] inline bool lies_apart(const Array& array, const Reading::Leaf* from, const Reading::Leaf* to) {
  const runtime::Storage* storage = array.storage.get();
  if (!storage || storage->adopted()) return false;
  for (; from != to; ++from)
    if (from->array->storage.get() == storage) return false;
  return true;
}

}  // namespace

void Reading::keep() {
  kept_.reserve(leaves.size());
  for (Leaf& leaf : leaves) {
    kept_.push_back(*leaf.value);
    leaf.value = &kept_.back();
  }
}

bool is_same(const Array& x, const Array& y) {
  // Views on the host's memory have a storage each.
  return x.data == y.data && x.dtype == y.dtype && x.shape == y.shape && x.strides == y.strides &&
         (x.storage.get() == y.storage.get() || runtime::may_overlap(x, y));
}

void write_key(KeyWriter& writer, const runtime::Arguments& arguments, Reading& reading) {
  Reader<KeyWriter>{writer, reading}.read_call(arguments);
}

bool match_key(std::string_view key, const runtime::Arguments& arguments, Reading& reading) {
  KeyMatcher matcher(key);
  if (!Reader<KeyMatcher>{matcher, reading}.read_options(arguments.positional.size())) return false;
  // Arrays in position, which most calls have alone, are compared while the matcher's place is a register's.
  const std::size_t given = arguments.positional.size();
  Reading::Leaf *first = reading.leaves.grow(given), *leaf = first;
  bool apart = true;
  for (const Value& v : arguments.positional) {
    auto* object = v.get_if<ArrayObject>();
    if (!object) {
      reading.leaves.cut(static_cast<std::size_t>(leaf - reading.leaves.data()));
      apart = false;
      break;
    }
    const Array& array = object->array;
    if (!read_array(matcher, array, array.backend)) return false;
    apart = apart && (given == 1 || lies_apart(array, first, leaf));
    *leaf++ = {&v, &array, true};
  }
  if (apart && arguments.keyword_names.empty()) return matcher.at_end();
  KeyMatcher rest = matcher;
  return Reader<KeyMatcher>{rest, reading}.read_arguments(arguments, static_cast<std::size_t>(leaf - first)) && rest.at_end();
}

void write_captured(KeyWriter& writer, std::span<const runtime::CapturedPlace> places, Reading& reading) {
  Reader<KeyWriter>{writer, reading}.read_captured(places);
}

std::vector<CapturedValue> describe_captured(std::span<const runtime::CapturedPlace> places) {
  std::vector<CapturedValue> list;
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::string key, text;
    std::vector<std::string> parts;
    KeyWriter writer(key, &parts);
    Reading reading;
    write_captured(writer, places.subspan(i, 1), reading);
    for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
    list.push_back({std::move(key), text.empty() ? "nothing" : text});
  }
  return list;
}

std::vector<Value> standing_values(std::span<const runtime::CapturedPlace> places) {
  auto is_constant = [](const Value& v) {
    if (!v.is_object()) return true;
    const ObjectKind kind = v.object()->kind();
    return kind == ObjectKind::Native || kind == ObjectKind::Callable || kind == ObjectKind::Str ||
           kind == ObjectKind::BigInt || kind == ObjectKind::Complex;
  };
  std::vector<Value> list;
  for (const runtime::CapturedPlace& place : places) {
    const Value* v = place.value();
    if (place.varies || (v && !is_constant(*v))) return {};
    list.push_back(v ? *v : Value());
  }
  return list;
}

bool match_captured(std::string_view key, std::span<const runtime::CapturedPlace> places, Reading& reading) {
  KeyMatcher matcher(key);
  return Reader<KeyMatcher>{matcher, reading}.read_captured(places) && matcher.at_end();
}

bool match_key(std::string_view key, runtime::BackendId backend, Reading& reading) {
  KeyMatcher matcher(key);
  if (!Reader<KeyMatcher>{matcher, reading}.read_options(reading.leaves.size())) return false;
  const Reading::Leaf* first = reading.leaves.data();
  bool apart = true;
  for (const Reading::Leaf& leaf : reading.leaves) {
    if (!read_array(matcher, *leaf.array, backend)) return false;
    apart = apart && (reading.leaves.size() == 1 || lies_apart(*leaf.array, first, &leaf));
  }
  if (apart) return matcher.at_end();
  KeyMatcher rest = matcher;
  return Reader<KeyMatcher>{rest, reading}.read_aliases() && rest.at_end();
}

}  // namespace autoray::codegen
