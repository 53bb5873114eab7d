#include "ir/rules/index.h"

#include <algorithm>

#include "ir/error.h"
#include "ir/rules/movement.h"

namespace autoray::ir {

SliceRange slice_range(const Slice& slice, std::int64_t length) {
  std::int64_t step = std::max(slice.step.value_or(1), -INT64_MAX);
  if (step == 0) throw Error(ErrorClass::ValueError, "slice step cannot be zero");
  auto clip = [&](std::int64_t v) {
    if (v < 0)
      v = v < -length ? -1 : v + length;
    else
      return std::min(v, step < 0 ? length - 1 : length);
    return v < 0 ? (step < 0 ? std::int64_t{-1} : std::int64_t{0}) : v;
  };
  std::int64_t start = slice.start ? clip(*slice.start) : step < 0 ? length - 1 : 0;
  std::int64_t stop = slice.stop ? clip(*slice.stop) : step < 0 ? -1 : length;
  std::int64_t count = 0;
  if (step > 0 && stop > start) count = (stop - start - 1) / step + 1;
  if (step < 0 && start > stop) count = (start - stop - 1) / -step + 1;
  return {count ? start : 0, step, count};
}

bool has_arrays(const Attr::Tuple& index) {
  return std::any_of(index.begin(), index.end(), [](const Attr& item) { return item.get<OperandRef>() != nullptr; });
}

Dims indexed_shape(const Dims& shape, const Attr::Tuple& index, std::span<const OperandType> operands, bool masks) {
  int consumed = 0;
  bool ellipsis = false;
  for (const Attr& item : index) {
    if (item.none()) continue;
    if (item.get<Ellipsis>()) {
      if (ellipsis) throw Error(ErrorClass::IndexError, "an index can only have a single ellipsis ('...')");
      ellipsis = true;
    } else if (auto* ref = item.get<OperandRef>()) {
      const Type& type = *operands[static_cast<std::size_t>(ref->operand)].type;
      consumed += is_bool(type.dtype) ? type.shape.ssize() : 1;
    } else {
      ++consumed;
    }
  }
  if (consumed > shape.ssize())
    throw Error(ErrorClass::IndexError, "too many indices for array: array is " + std::to_string(shape.ssize()) +
                                            "-dimensional, but " + std::to_string(consumed) + " were indexed");
  const bool arrays = has_arrays(index);
  Dims result;
  std::vector<std::span<const std::int64_t>> index_shapes;
  const std::int64_t unknown[] = {-1};
  bool masked = false, together = true, parted = false;
  int first = -1, last = -2;
  std::size_t axis = 0;
  auto advanced = [&] {
    if (first < 0) first = result.ssize();
    if (last >= 0 && (parted || last != result.ssize())) together = false;
    last = result.ssize();
    parted = false;
  };
  for (const Attr& item : index) {
    if (item.none()) {
      result.push_back(1);
    } else if (auto* i = item.get<std::int64_t>()) {
      std::int64_t n = shape[axis];
      if (*i < -n || *i >= n)
        throw Error(ErrorClass::IndexError, "index " + std::to_string(*i) + " is out of bounds for axis " +
                                                std::to_string(axis) + " with size " + std::to_string(n));
      ++axis;
      // Among arrays an int is an array too: it takes part in the placement of axes.
      if (arrays) advanced();
    } else if (auto* slice = item.get<Slice>()) {
      result.push_back(slice_range(*slice, shape[axis++]).count);
    } else if (item.get<Ellipsis>()) {
      parted = true;  // also where it stands for no axis
      for (int k = shape.ssize() - consumed; k-- > 0;) result.push_back(shape[axis++]);
    } else {
      const Type& type = *operands[static_cast<std::size_t>(item.get<OperandRef>()->operand)].type;
      if (is_bool(type.dtype)) {
        if (!masks)
          throw Error(ErrorClass::TypeError,
                      "the shape of an array indexed by a boolean array depends on its values, which are not "
                      "known in a graph")
              .with_code(405)
              .with_hint("np.where(mask, a, other) has a known shape; a[mask] = value is recorded");
        for (std::int64_t extent : type.shape) {
          // numpy compares no mask of length 0.
          if (extent > 0 && extent != shape[axis])
            throw Error(ErrorClass::IndexError, "boolean index did not match indexed array along axis " + std::to_string(axis) +
                                                    "; size of axis is " + std::to_string(shape[axis]) +
                                                    " but size of corresponding boolean axis is " + std::to_string(extent));
          ++axis;
        }
        masked = true;
      } else {
        if (!is_integer(type.dtype))
          throw Error(ErrorClass::IndexError, "arrays used as indices must be of integer (or boolean) type");
        index_shapes.push_back(type.shape);
        ++axis;
      }
      advanced();
    }
  }
  if (!ellipsis)
    while (axis < shape.size()) result.push_back(shape[axis++]);
  if (!arrays) return result;
  Dims broadcast;
  if (masked) {
    broadcast.assign(unknown, unknown + 1);
  } else {
    try {
      broadcast = broadcast_all(index_shapes);
    } catch (const Error&) {
      throw Error(ErrorClass::IndexError, "shape mismatch: indexing arrays could not be broadcast together with shapes " +
                                              broadcast_shapes_text(index_shapes));
    }
  }
  std::size_t place = together ? static_cast<std::size_t>(first) : 0;
  for (std::size_t k = broadcast.size(); k-- > 0;) result.insert(place, broadcast[k]);
  return result;
}

namespace {

const Attr::Tuple& index_of(const Attr& attr) {
  if (auto* tuple = attr.get<Attr::Tuple>()) return *tuple;
  throw Error(ErrorClass::SystemError, "an index is a tuple of ints, slices and operands");
}

// The shape of the place that a path names, step by step.
Dims path_shape(const Type& base, const Attr::Tuple& path, std::span<const OperandType> indices) {
  Type type = base;
  for (const Attr& step : path) {
    const Attr::Tuple& parts = index_of(step);
    const Op& view = op(find_op(as_string(parts.at(0), "view")));
    if (view.id == OpId::GetItem) {
      type.shape = indexed_shape(type.shape, index_of(parts.at(1)), indices, true);
      continue;
    }
    std::vector<Attr> attrs(parts.begin() + 1, parts.end());
    const OperandType in[] = {{&type}};
    const std::uint32_t groups[] = {1};
    // A list of views (split) names the piece after its attributes.
    std::size_t piece = 0;
    if (view.has(kListResult) || view.has(kTupleResult)) {
      piece = static_cast<std::size_t>(as_int(attrs.back(), "piece"));
      attrs.pop_back();
    }
    Inference inference{view, in, groups, attrs, {}};
    infer(inference);
    Type result = inference.results.at(piece);
    type = result;
  }
  return type.shape;
}

}  // namespace

void shape_getitem(Inference& inference) {
  Type result;
  result.shape = indexed_shape(inference.type(0).shape, index_of(inference.attrs[0]), inference.in.subspan(1), false);
  inference.results.assign(1, result);
}

void dtype_getitem(Inference& inference) {
  Type& result = inference.results[0];
  result.dtype = inference.type(0).dtype;
  const Attr::Tuple& index = index_of(inference.attrs[0]);
  bool ellipsis = std::any_of(index.begin(), index.end(), [](const Attr& a) { return a.get<Ellipsis>() != nullptr; });
  if (result.shape.empty() && (!ellipsis || has_arrays(index))) result.kind = Kind::Scalar;
}

bool writes_nothing(const Dims& value, const Dims& place) {
  if (value.size() <= place.size() || element_count(place) != 0) return false;
  return std::find(value.end() - static_cast<std::ptrdiff_t>(place.size()), value.end(), 0) != value.end();
}

namespace {

// A mask over a whole array takes a vector of values.
void check_whole_mask(const Inference& inference, const Attr::Tuple& path) {
  const Attr::Tuple& last = index_of(path.back());
  if (inference.in.size() != 3 || last.size() != 2 || inference.type(2).dtype != DType::Bool) return;
  auto* index = last[1].get<Attr::Tuple>();
  std::size_t axes = inference.type(2).shape.size(), given = inference.type(1).shape.size();
  if (!index || index->size() != 1 || axes == 0 || given < 2) return;
  Dims whole = path_shape(inference.type(0), Attr::Tuple(path.begin(), path.end() - 1), {});
  if (whole.size() == axes)
    throw Error(ErrorClass::TypeError,
                "NumPy boolean array indexing assignment requires a 0 or 1-dimensional input, input has " +
                    std::to_string(given) + " dimensions");
}

}  // namespace

void shape_setitem(Inference& inference) {
  const Type& base = inference.type(0);
  const Attr::Tuple& path = index_of(inference.attrs[0]);
  Dims place = path_shape(base, path, inference.in.subspan(2));
  check_whole_mask(inference, path);
  Dims value = inference.type(1).shape;
  bool nothing = inference.in.size() > 2 && writes_nothing(value, place);
  while (value.size() > place.size() && (nothing || value[0] == 1)) value.erase(0);
  bool known = std::find(place.begin(), place.end(), -1) == place.end();
  if (known) {
    auto fits = broadcast(value, place);
    if (!fits || !(*fits == place)) {
      bool arrays = inference.in.size() > 2;
      std::span<const std::int64_t> a[] = {arrays ? inference.type(1).shape : value}, b[] = {place};
      std::string from = broadcast_shapes_text(a), to = broadcast_shapes_text(b);
      from.pop_back();
      to.pop_back();
      if (arrays)
        throw Error(ErrorClass::ValueError, "shape mismatch: value array of shape " + from +
                                                " could not be broadcast to indexing result of shape " + to);
      throw Error(ErrorClass::ValueError, "could not broadcast input array from shape " + from + " into shape " + to);
    }
  }
  Type result;
  result.shape = base.shape;
  inference.results.assign(1, result);
}

Cost cost_setitem(const Inference& inference) {
  double bytes =
      static_cast<double>(element_count(inference.type(1).shape)) * static_cast<double>(itemsize(inference.type(0).dtype));
  return {0, 2 * bytes};
}

}  // namespace autoray::ir
