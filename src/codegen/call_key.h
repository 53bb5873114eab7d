// What a call of a compiled function was given: its leaves, and the key that calls of one kind share, as bytes. One traversal
// serves two sinks: KeyWriter makes a key, KeyMatcher compares with one that is known and allocates nothing.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "codegen/autojit.h"
#include "codegen/specialisation.h"
#include "ir/small_vector.h"
#include "runtime/lazy/captures.h"
#include "runtime/objects.h"

namespace autoray::codegen {

struct Reading {
  struct Leaf {
    const runtime::Value* value = nullptr;  // null: an array of the host program's
    const runtime::Array* array = nullptr;  // null: a number, a string ...
    bool traced = false;                    // an array, a numpy scalar, a float
    int same_as = -1;                       // an earlier leaf that is the very same array
    bool is_float() const { return value && value->is_float(); }
  };
  ir::SmallVector<Leaf, 8> leaves;
  JitBackend backend = JitBackend::Native;
  bool floats_static = false;    // the values of floats belong to the key
  bool captured_static = false;  // the elements of captured arrays belong to theirs
  bool overlap = false;          // two arrays share some of their memory
  bool lazy = false;             // an argument is a graph's

  // An array of the host program's, in position.
  void add(const runtime::Array& array) { leaves.push_back({nullptr, &array, true}); }
  // Values stay, whatever the traced function does to the containers that they came in.
  void keep();

 private:
  std::vector<runtime::Value> kept_;
};

class KeyWriter {
 public:
  // `parts`: the key in readable pieces as well; `held`: the objects that it names by identity. Null: not.
  explicit KeyWriter(std::string& key, std::vector<std::string>* parts = nullptr, std::vector<runtime::Value>* held = nullptr)
      : key_(key), parts_(parts), held_(held) {
    key.clear();
  }
  bool put(const void* bytes, std::size_t count) {
    key_.append(static_cast<const char*>(bytes), count);
    return true;
  }
  bool put_array(std::uint64_t head, const ir::Dims& extents, const ir::Dims& strides) {
    put(&head, sizeof head);
    for (std::size_t i = 0; i < extents.size(); ++i) {
      put(&extents[i], sizeof extents[i]);
      put(&strides[i], sizeof strides[i]);
    }
    return true;
  }
  template <class Text>
  void part(Text&& text) {
    if (parts_) parts_->push_back(text());
  }
  void hold(const runtime::Value& v) {
    if (held_) held_->push_back(v);
  }

 private:
  std::string& key_;
  std::vector<std::string>* parts_;
  std::vector<runtime::Value>* held_;
};

class KeyMatcher {
 public:
  explicit KeyMatcher(std::string_view key) : at_(key.data()), end_(at_ + key.size()) {}
  bool put(const void* bytes, std::size_t count) {
    if (left() < count || std::memcmp(at_, bytes, count) != 0) return false;
    at_ += count;
    return true;
  }
  // Numbers that are compared at once: bytes that were just stored one by one are slow to read together.
  bool put_array(std::uint64_t head, const ir::Dims& extents, const ir::Dims& strides) {
    const std::size_t axes = extents.size();
    if (left() < (1 + 2 * axes) * sizeof head) return false;
    auto differs = [&](auto number) {
      std::uint64_t known;
      std::memcpy(&known, at_, sizeof known);
      at_ += sizeof known;
      return known ^ static_cast<std::uint64_t>(number);
    };
    std::uint64_t different = differs(head);
    const std::int64_t *extent = extents.data(), *stride = strides.data();
    for (std::size_t i = 0; i < axes; ++i) {
      different |= differs(extent[i]);
      different |= differs(stride[i]);
    }
    return different == 0;
  }
  template <class Text>
  void part(Text&&) {}
  void hold(const runtime::Value&) {}
  bool at_end() const { return at_ == end_; }

 private:
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  const char *at_, *end_;
};

// Fill `reading.leaves` on the way (and leave them half filled when the key is another one).
void write_key(KeyWriter& writer, const runtime::Arguments& arguments, Reading& reading);
bool match_key(std::string_view key, const runtime::Arguments& arguments, Reading& reading);
// One array in two objects.
bool is_same(const runtime::Array& x, const runtime::Array& y);
// The same for what stands at captured places now: their leaves, arrays and floats that vary, follow those of the call.
void write_captured(KeyWriter& writer, std::span<const runtime::CapturedPlace> places, Reading& reading);
// What stands there, by place.
std::vector<CapturedValue> describe_captured(std::span<const runtime::CapturedPlace> places);
// The same, by place, where each place holds a value that cannot change in itself: the key is the same as long as these very
// values stand there. Empty: not so.
std::vector<runtime::Value> standing_values(std::span<const runtime::CapturedPlace> places);
bool match_captured(std::string_view key, std::span<const runtime::CapturedPlace> places, Reading& reading);
// Of arrays of the host program's, in position, which are the reading's leaves; `backend` is what dispatch takes them for.
bool match_key(std::string_view key, runtime::BackendId backend, Reading& reading);

}  // namespace autoray::codegen
