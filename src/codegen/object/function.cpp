#include "codegen/object/function.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <functional>
#include <set>

#include "codegen/draft.h"
#include "codegen/object/in_place.h"
#include "ir/error.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/objects.h"
#include "runtime/printing.h"

namespace autoray::codegen::object {

using ir::Dims;
using ir::DType;
using runtime::Value;

namespace {

constexpr int kDeepest = 200;

std::int64_t aligned(std::int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }
std::int64_t item_bytes(DType dtype) { return static_cast<std::int64_t>(ir::itemsize(dtype)); }
std::int64_t type_bytes(DType dtype, const Dims& shape) { return ir::element_count(shape) * item_bytes(dtype); }

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) result += c;
  }
  return result + "\"";
}

// The leaves of containers, in order, with their paths: "layers" and then "0", "1"; a dict's keys.
using Path = std::vector<std::string>;
void walk(const Value& v, Path& path, const std::function<void(const Value&, const Path&)>& visit) {
  if (path.size() > kDeepest) throw ir::Error(ir::ErrorClass::RecursionError, "containers are nested too deeply");
  auto deeper = [&](const Value& item, std::string step) {
    path.push_back(std::move(step));
    walk(item, path, visit);
    path.pop_back();
  };
  if (auto* list = v.get_if<runtime::List>()) {
    for (std::size_t i = 0; i < list->items.size(); ++i) deeper(list->items[i], std::to_string(i));
  } else if (auto* tuple = v.get_if<runtime::Tuple>()) {
    for (std::size_t i = 0; i < tuple->items.size(); ++i) deeper(tuple->items[i], std::to_string(i));
  } else if (auto* dict = v.get_if<runtime::Dict>()) {
    for (auto& entry : dict->entries()) {
      if (entry.key.empty()) continue;
      auto* key = entry.key.get_if<runtime::Str>();
      deeper(entry.value, key ? key->text : entry.key.is_int() ? std::to_string(entry.key.as_int()) : "item");
    }
  } else {
    visit(v, path);
  }
}

// As JSON; false for what is no number, string or None.
bool number_text(const Value& v, std::string& text) {
  if (v.is_none())
    text = "null";
  else if (v.is_bool())
    text = v.as_bool() ? "true" : "false";
  else if (v.is_int())
    text = std::to_string(v.as_int());
  else if (v.is_float())
    text = std::isfinite(v.as_float()) ? runtime::float_repr(v.as_float()) : quoted(runtime::float_repr(v.as_float()));
  else if (auto* s = v.get_if<runtime::Str>())
    text = quoted(s->text);
  else
    return false;
  return true;
}

class Maker {
 public:
  Maker(runtime::Runtime& runtime, const std::string& name, const Specialisation& spec)
      : runtime_(runtime), spec_(spec), program_(*spec.program) {
    f_.script_name = name;
    f_.name = c_identifier(name);
    taken_ = {"workspace", f_.name};
    f_.floats_compiled_in = spec.floats_static;
    for (ir::Index i = 0; i < spec.plan->block.nodes.size(); ++i) {
      ir::Cost cost = ir::cost(spec.plan->block, i);
      f_.flops += cost.flops;
      f_.bytes += cost.bytes;
    }
  }

  Function make(std::span<const std::string_view> names, std::span<const Value> values) {
    arguments(names, values);
    data();
    results();
    steps();
    for (const Copy& copy : copies_) add_copy(copy);
    for (const Copy& copy : write_backs_) add_copy(copy);
    drop_unused_kernels();
    return std::move(f_);
  }

 private:
  struct Copy {
    Located from;
    Base to;
  };

  std::string unique(std::string name) {
    name = c_identifier(name);
    std::string candidate = name;
    for (int n = 1; !taken_.insert(candidate).second; ++n) candidate = name + "_" + std::to_string(n);
    return candidate;
  }
  Base add_parameter(const std::string& name, Passing passing, DType dtype, const Dims& shape) {
    f_.parameters.push_back({unique(name), passing, dtype, shape});
    return static_cast<Base>(kFirstParameter + f_.parameters.size() - 1);
  }

  void arguments(std::span<const std::string_view> names, std::span<const Value> values) {
    for (std::size_t k = 0; k < names.size(); ++k) {
      Path path{std::string(names[k])};
      walk(values[k], path, [&](const Value& v, const Path& at) {
        std::string name = at[0];
        for (std::size_t i = 1; i < at.size(); ++i) name += "_" + at[i];
        auto leaf = static_cast<int>(base_of_leaf_.size());
        base_of_leaf_.push_back(0);
        std::string text;
        if (auto* a = v.get_if<runtime::ArrayObject>()) {
          bool written = std::any_of(spec_.written.begin(), spec_.written.end(), [&](auto& w) { return w.second == leaf; });
          base_of_leaf_.back() = add_parameter(name, written ? Passing::InOut : Passing::In, a->array.dtype, a->array.shape);
        } else if (v.is_float() && !spec_.floats_static) {
          base_of_leaf_.back() = add_parameter(name, Passing::Value, DType::Float64, {});
        } else if (number_text(v, text)) {
          f_.statics.push_back({name, text});
        } else {
          f_.statics.push_back({name, quoted(runtime::type_name(v))});
        }
      });
    }
  }

  // The program's numbers and what the trace captured, one behind the other.
  void data() {
    f_.data = program_.constants;
    place_of_captured_.assign(spec_.captured.size(), 0);
    for (std::size_t a = 0; a < spec_.captured.size(); ++a)
      if (spec_.argument_leaf[a] < 0 && spec_.captured[a].data)
        place_of_captured_[a] = add_data(spec_.captured[a].data, spec_.captured[a].nbytes());
  }
  std::int64_t add_data(const char* from, std::int64_t bytes) {
    std::int64_t step = bytes < kAlignment ? 16 : kAlignment;
    std::int64_t at = (static_cast<std::int64_t>(f_.data.size()) + step - 1) / step * step;
    f_.data.resize(static_cast<std::size_t>(at));
    f_.data.insert(f_.data.end(), from, from + bytes);
    return at;
  }

  // Each result gets a parameter; where it is the only dense array in its memory, kernels write there directly.
  void results() {
    f_.workspace_bytes = aligned(program_.arena_bytes);
    base_of_output_.assign(program_.output_bytes.size(), Buffer{kWorkspace, -1});
    std::size_t leaf = 0;
    f_.results = result_tree(spec_.tree, {}, leaf);
    for (auto [result, argument] : spec_.written) write_back(static_cast<std::size_t>(result), argument);
    for (std::size_t o = 0; o < base_of_output_.size(); ++o) {
      if (base_of_output_[o].offset >= 0) continue;
      base_of_output_[o] = {kWorkspace, f_.workspace_bytes};
      f_.workspace_bytes += aligned(program_.output_bytes[o]);
    }
  }
  // What is written is made in the argument's memory, or copied there at the end.
  void write_back(std::size_t result, int leaf) {
    const Located& located = program_.results[result];
    Base base = base_of_leaf_[static_cast<std::size_t>(leaf)];
    auto argument = std::find(spec_.argument_leaf.begin(), spec_.argument_leaf.end(), leaf);
    auto number = static_cast<std::uint32_t>(argument - spec_.argument_leaf.begin());
    bool read_later = std::any_of(copies_.begin(), copies_.end(), [&](const Copy& c) {
      return c.from.place.home == Home::Argument && c.from.place.number == number;
    });
    if (whole_output(located) && base_of_output_[located.place.number].offset < 0 && !read_later)
      if (auto copies = in_place(program_, number, located.place.number)) {
        base_of_output_[located.place.number] = {base, 0};
        not_needed_.insert(not_needed_.end(), copies->begin(), copies->end());
        return;
      }
    write_backs_.push_back({located, base});
  }
  // A dense array that is all of its memory.
  bool whole_output(const Located& located) const {
    return located.place.home == Home::Output && located.place.offset == 0 &&
           located.strides == ir::contiguous_strides(located.type.shape, item_bytes(located.type.dtype)) &&
           type_bytes(located.type.dtype, located.type.shape) == program_.output_bytes[located.place.number];
  }
  std::string result_tree(const Value& v, const Path& path, std::size_t& leaf) {
    std::string text;
    auto items = [&](const std::vector<Value>& values) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        Path deeper = path;
        deeper.push_back(std::to_string(i));
        text += (i ? ", " : "") + result_tree(values[i], deeper, leaf);
      }
      return "[" + text + "]";
    };
    if (path.size() > kDeepest) throw ir::Error(ir::ErrorClass::RecursionError, "containers are nested too deeply");
    if (auto* tuple = v.get_if<runtime::Tuple>()) return "{\"tuple\": " + items(tuple->items) + "}";
    if (auto* list = v.get_if<runtime::List>()) return "{\"list\": " + items(list->items) + "}";
    if (auto* dict = v.get_if<runtime::Dict>()) {
      for (auto& entry : dict->entries()) {
        if (entry.key.empty()) continue;
        auto* key = entry.key.get_if<runtime::Str>();
        Path deeper = path;
        deeper.push_back(key ? key->text : entry.key.is_int() ? std::to_string(entry.key.as_int()) : "item");
        text += (text.empty() ? "" : ", ") + quoted(deeper.back()) + ": " + result_tree(entry.value, deeper, leaf);
      }
      return "{\"dict\": {" + text + "}}";
    }
    const ResultLeaf& from = spec_.leaves[leaf++];
    if (from.argument >= 0) {
      Base base = base_of_leaf_[static_cast<std::size_t>(from.argument)];
      return quoted(f_.parameters[base - kFirstParameter].name);
    }
    if (from.result < 0 && (v.is(runtime::ObjectKind::Array) || v.is(runtime::ObjectKind::NumpyScalar))) {
      // What the call did not compute is data.
      runtime::Array array = runtime::to_array(runtime_, v);
      if (!array.c_contiguous()) array = runtime::converted(runtime_, array, array.dtype);
      Base base = add_parameter(result_name(path), Passing::Out, array.dtype, array.shape);
      Place place{Home::Constants, 0, add_data(array.data, array.nbytes())};
      copies_.push_back({{place, array.type(), array.strides}, base});
      return quoted(f_.parameters.back().name);
    }
    if (from.result < 0) {
      if (!number_text(v, text))
        throw ir::Error(ir::ErrorClass::NotImplementedError,
                        "a compiled function gives arrays and numbers, not " + runtime::type_name(v))
            .with_hint("return arrays, numbers, and tuples, lists or dictionaries of them");
      return "{\"constant\": " + text + "}";
    }
    const Located& located = program_.results[static_cast<std::size_t>(from.result)];
    Base base = add_parameter(result_name(path), Passing::Out, located.type.dtype, located.type.shape);
    if (whole_output(located) && base_of_output_[located.place.number].offset < 0)
      base_of_output_[located.place.number] = {base, 0};
    else
      copies_.push_back({located, base});
    return quoted(f_.parameters.back().name);
  }
  // result; result0, result1 of a tuple; the keys of a dict.
  static std::string result_name(const Path& path) {
    if (path.empty()) return "result";
    bool number = !path[0].empty() && path[0][0] >= '0' && path[0][0] <= '9';
    std::string name = (number ? "result" : "") + path[0];
    for (std::size_t i = 1; i < path.size(); ++i) name += "_" + path[i];
    return name;
  }

  Buffer buffer(const Place& place) const {
    switch (place.home) {
      case Home::Arena: return {kWorkspace, place.offset};
      case Home::Constants: return {kData, place.offset};
      case Home::Argument: {
        int leaf = spec_.argument_leaf[place.number];
        if (leaf < 0) return {kData, place_of_captured_[place.number] + place.offset};
        return {base_of_leaf_[static_cast<std::size_t>(leaf)], place.offset};
      }
      case Home::Output: {
        Buffer at = base_of_output_[place.number];
        return {at.base, at.offset + place.offset};
      }
      case Home::Dynamic: break;
    }
    throw ir::Error(ir::ErrorClass::SystemError, "code generation: an object with a result of the runtime's");
  }
  void steps() {
    f_.kernels = program_.sources;
    for (std::size_t s = 0; s < program_.steps.size(); ++s) {
      const ProgramStep& step = program_.steps[s];
      std::uint32_t number = step.number;
      std::vector<std::size_t> gone;
      for (const NestOfStep& at : not_needed_)
        if (at.step == s) gone.push_back(at.nest);
      if (!gone.empty()) {
        Kernel without = f_.kernels[number];
        std::sort(gone.rbegin(), gone.rend());
        for (std::size_t nest : gone) without.nests.erase(without.nests.begin() + static_cast<std::ptrdiff_t>(nest));
        if (without.nests.empty()) continue;
        number = add_kernel(std::move(without));
      }
      f_.steps.push_back(
          {number, static_cast<std::uint32_t>(f_.buffers.size()), static_cast<std::uint32_t>(f_.numbers.size())});
      const Kernel& kernel = f_.kernels[number];
      for (std::size_t b = 0; b < kernel.buffers.size(); ++b) f_.buffers.push_back(buffer(program_.buffers[step.first + b]));
      for (std::size_t n = 0; n < kernel.arguments; ++n) f_.numbers.push_back(program_.arguments[step.first_argument + n]);
    }
  }

  std::uint32_t add_kernel(Kernel kernel) {
    std::string text = kernel.text();
    auto known = std::find_if(f_.kernels.begin(), f_.kernels.end(), [&](const Kernel& k) { return k.text() == text; });
    auto number = static_cast<std::uint32_t>(known - f_.kernels.begin());
    if (known == f_.kernels.end()) f_.kernels.push_back(std::move(kernel));
    return number;
  }

  void drop_unused_kernels() {
    std::vector<std::int64_t> number(f_.kernels.size(), -1);
    std::vector<Kernel> used;
    for (Step& step : f_.steps) {
      if (number[step.kernel] < 0) {
        number[step.kernel] = static_cast<std::int64_t>(used.size());
        used.push_back(std::move(f_.kernels[step.kernel]));
      }
      step.kernel = static_cast<std::uint32_t>(number[step.kernel]);
    }
    f_.kernels = std::move(used);
  }

  // A kernel that moves the bits of an array into a dense one.
  void add_copy(const Copy& copy) {
    Dims shape = copy.from.type.shape, from = copy.from.strides;
    if (ir::element_count(shape) == 0) return;
    std::int64_t size = item_bytes(copy.from.type.dtype);
    NestDraft draft;
    Dims to = ir::contiguous_strides(shape, size);
    if (size == 16) {  // two halves
      shape.push_back(2);
      from.push_back(8);
      to.push_back(8);
      size = 8;
    }
    DType bits = size == 1 ? DType::UInt8 : size == 2 ? DType::UInt16 : size == 4 ? DType::UInt32 : DType::UInt64;
    draft.extents = shape;
    draft.kept = shape.size();
    draft.nest.body.push_back({Prim::Load, bits});
    draft.nest.body.back().immediate = 0;
    draft.nest.stores.push_back({0, {}});
    draft.loads.push_back({0, 0, bits, from});
    draft.stores.push_back({0, 0, bits, to});
    simplify(draft);
    Kernel kernel;
    kernel.buffers = {bits, bits};
    auto access = [](std::uint16_t buffer, const Dims& strides) {
      Access a;
      a.buffer = buffer;
      for (std::int64_t stride : strides) a.strides.push_back({true, stride});
      return a;
    };
    draft.nest.loads = {access(0, draft.loads[0].strides)};
    draft.nest.stores[0].to = access(1, draft.stores[0].strides);
    draft.nest.extents.clear();
    for (std::int64_t extent : draft.extents) draft.nest.extents.push_back({true, extent});
    kernel.nests.push_back(std::move(draft.nest));
    f_.steps.push_back({add_kernel(std::move(kernel)), static_cast<std::uint32_t>(f_.buffers.size()),
                        static_cast<std::uint32_t>(f_.numbers.size())});
    f_.buffers.push_back(buffer(copy.from.place));
    f_.buffers.push_back({copy.to, 0});
  }

  runtime::Runtime& runtime_;
  const Specialisation& spec_;
  const Program& program_;
  Function f_;
  std::set<std::string> taken_;
  std::vector<Base> base_of_leaf_;               // by leaf of the call
  std::vector<std::int64_t> place_of_captured_;  // in the data, by argument of the plan
  std::vector<Buffer> base_of_output_;           // by output of the program; offset -1: not placed yet
  std::vector<NestOfStep> not_needed_;           // where a version is made in place
  std::vector<Copy> copies_, write_backs_;       // what is written back comes last: results are copies of the old values
};

}  // namespace

std::string c_identifier(std::string_view name) {
  static const std::set<std::string_view> kKeywords = {
#define KEYWORD(word) #word,
#include "codegen/object/keywords.def"
#undef KEYWORD
  };
  std::string result;
  for (char c : name) result += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  if (result.empty() || std::isdigit(static_cast<unsigned char>(result[0]))) result = "_" + result;
  if (kKeywords.count(result)) result += "_";
  return result;
}

Function make_function(runtime::Runtime& runtime, const std::string& name, std::span<const std::string_view> names,
                       std::span<const Value> values, const Specialisation& spec) {
  return Maker(runtime, name, spec).make(names, values);
}

}  // namespace autoray::codegen::object
