// What a function that autojit traces reads from outside of its arguments: global variables, those of enclosing functions,
// default arguments, attributes of functions and of script files. Whoever runs scripts passes such a value through `read`, and
// asks `refuse` before a place outside is written. The trace sees arrays as their substitutes, and lists, dictionaries and sets
// as copies: what it does to them can be found out and leaves no trace.
//
// The places can be read again, so that a later call can be compared with the one that was traced. Within a trace none of them
// changes.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/objects.h"

namespace autoray::runtime {

struct CapturedPlace {
  using Read = const Value* (*)(const CapturedPlace&);
  Read read;
  const void* table;    // what `read` looks into
  std::uint32_t index;  // there
  std::string name;     // as the script calls it
  Value owner;          // keeps the table; Empty: it lives as long as its program
  bool varies = false;  // a float stands there that is a value of the run
  bool is_at(const CapturedPlace& other) const {
    return table == other.table && index == other.index && read == other.read && name == other.name;
  }
  // Null or Empty: nothing stands there.
  const Value* value() const { return read(*this); }
};

class Captures {
 public:
  // `substitute`: what the trace sees of an array; none: all that it reads from outside is constant, seen as it is.
  // `varies`: whether a float at a place is substituted too; none: floats are constants.
  explicit Captures(std::function<Value(const Value& array)> substitute,
                    std::function<bool(const CapturedPlace&)> varies = nullptr)
      : substitute_(std::move(substitute)), varies_(std::move(varies)) {}

  // What the trace sees of `value`, which stands at the place. Throws what `refuse` does for values that change when they are
  // looked at, and for more than a call could look at again.
  Value read(CapturedPlace place, const Value& value);
  // Throws Error (NotImplementedError, 202): "a traced function " and what it does. The trace has failed even when the script
  // handles the exception.
  [[noreturn]] void refuse(const std::string& what);
  // Variables and functions that the trace made are its own.
  void own(Ref<Container> object) { own_.emplace(object.get(), std::move(object)); }
  bool owns(const Object* object) const { return own_.contains(object); }
  // The containers of a value that is the trace's own copy of an argument.
  void watch(const Value& argument);

  // ---- after the trace ----
  const std::vector<CapturedPlace>& places() const { return places_; }
  // Throws what a refusal that the script handled has thrown, or a refusal where a container, or an array's substitute with
  // elements, was changed.
  void check();
  bool any_copy() const { return !copies_.empty(); }  // or substitute
  bool any_array() const { return any_array_; }

 private:
  struct Watched {
    Value container;
    std::vector<Value> items;  // as they stood; a dictionary's keys and values
    std::string name;
  };
  Value copy(const Value& value, const std::string& name, int depth);
  void watch(const Value& container, const std::string& name);
  Value substitute(const Value& array);

  std::function<Value(const Value&)> substitute_;
  std::function<bool(const CapturedPlace&)> varies_;
  std::vector<CapturedPlace> places_;
  std::vector<Value> seen_;                          // by place
  std::unordered_map<const Object*, Value> copies_;  // arrays' substitutes too
  std::vector<Value> kept_;                          // what was copied: its address is not used again
  std::vector<Watched> watched_;
  struct WatchedArray {
    Value array;
    std::uint64_t version;
    ir::Dims shape;
  };
  std::vector<WatchedArray> arrays_;  // substitutes with elements
  std::unordered_map<const Object*, Ref<Container>> own_;
  std::string refused_;
  std::size_t items_ = 0;
  bool any_array_ = false;
};

// What dispatch looks at beside a call's arguments: the default backend, and what is registered, which is counted.
void read_dispatch_state(Runtime& runtime);
void count_registration(Runtime& runtime);

// A function that reads or changes what is outside of every script: files, streams of random numbers. Traces refuse it.
struct HostCall;
void refuse_in_trace(HostCall& call);
template <Value (*function)(HostCall&)>
Value outside_traces(HostCall& call) {
  refuse_in_trace(call);
  return function(call);
}

}  // namespace autoray::runtime
