// a[index] and its pure write as kernels: what recorded graphs run.
#include <numeric>

#include "ir/error.h"
#include "ir/rules/index.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/movement/movement.h"

namespace autoray::runtime {
namespace {

using ir::Attr;

// A basic index as a view; the rule has checked its bounds.
Array basic_view(const Array& array, const Attr::Tuple& index, const ir::Dims& shape) {
  Array view = array;
  view.shape = shape;
  view.strides.clear();
  int consumed = 0;
  for (const Attr& item : index) consumed += !item.none() && !item.get<ir::Ellipsis>();
  std::size_t axis = 0;
  bool ellipsis = false;
  for (const Attr& item : index) {
    if (auto* i = item.get<std::int64_t>()) {
      view.data += (*i < 0 ? *i + array.shape[axis] : *i) * array.strides[axis];
      ++axis;
    } else if (auto* slice = item.get<ir::Slice>()) {
      ir::SliceRange range = ir::slice_range(*slice, array.shape[axis]);
      view.data += range.start * array.strides[axis];
      view.strides.push_back(range.count > 1 ? array.strides[axis] * range.step : array.strides[axis]);
      ++axis;
    } else if (item.none()) {
      view.strides.push_back(0);
    } else {
      ellipsis = true;
      for (int k = array.ndim() - consumed; k-- > 0;) view.strides.push_back(array.strides[axis++]);
    }
  }
  if (!ellipsis)
    while (axis < array.shape.size()) view.strides.push_back(array.strides[axis++]);
  return view;
}

// The index as the language writes it, with its operands in their places.
Value index_value(const Attr::Tuple& index, std::span<const Operand> operands) {
  std::vector<Value> items;
  for (const Attr& item : index) {
    auto* ref = item.get<ir::OperandRef>();
    items.push_back(ref ? make_array(*operands[static_cast<std::size_t>(ref->operand)]) : from_attr(item));
  }
  return make_tuple(std::move(items));
}

void getitem_kernel(KernelCall& call) {
  const auto& index = *call.attrs[0].get<Attr::Tuple>();
  const Array& array = *call.in[0];
  if (!ir::has_arrays(index)) {
    call.out[0] = basic_view(array, index, call.types[0].shape);
    return;
  }
  Value item = get_item(call.runtime, array, index_value(index, call.in.subspan(1)));
  call.out[0] = item.is(ObjectKind::Array) ? item.as<ArrayObject>().array : to_array(call.runtime, item);
}

bool is_part(ir::OpId id) { return id == ir::OpId::Real || id == ir::OpId::Imag; }

// The place in `base` that the path's views lead to; the last step's index is left for the write. Parts of complex numbers are
// left to the caller where `base` is numbers of places.
Array place_of(KernelCall& call, Array base, const Attr::Tuple& path, bool numbers = false) {
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    const auto& parts = *path[i].get<Attr::Tuple>();
    ir::OpId id = ir::find_op(*parts[0].get<std::string>());
    if (is_part(id) && numbers) continue;
    if (is_part(id)) {
      base.dtype = ir::real_dtype(base.dtype);
      if (id == ir::OpId::Imag) base.data += base.itemsize();
      continue;
    }
    std::vector<Attr> attrs(parts.begin() + 1, parts.end());
    const Operand in[] = {{&base, ir::Kind::Array}};
    const std::uint32_t groups[] = {1};
    Array view = call.runtime.run(id, call.backend, in, groups, attrs).at(0);
    base = std::move(view);
  }
  return base;
}

// Where the order of this base's memory makes a step of the path a copy, as it does not eagerly: by the items' numbers.
void write_by_number(KernelCall& call, const Array& base, const Attr::Tuple& path, const Value& index, const Value& item) {
  Array flat = base;
  if (!try_reshape_view(base, ir::Dims{base.size()}, flat)) throw ir::Error(ir::ErrorClass::SystemError, "a base with gaps");
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    ir::OpId id = ir::find_op(*(*path[i].get<Attr::Tuple>())[0].get<std::string>());
    if (is_part(id)) flat.dtype = ir::real_dtype(flat.dtype);
    if (id == ir::OpId::Imag) flat.data += flat.itemsize();
  }
  Array numbers = call.runtime.allocate(ir::DType::Int64, base.shape);
  std::iota(numbers.as<std::int64_t>(), numbers.as<std::int64_t>() + numbers.size(), std::int64_t{0});
  Value places = get_item(call.runtime, place_of(call, numbers, path, true), index);
  set_item(call.runtime, flat, places, item);
}

void setitem_kernel(KernelCall& call) {
  const auto& path = *call.attrs[0].get<Attr::Tuple>();
  // The old version is not used again: it becomes the new one.
  Array base =
      call.reuse_first && call.in[0]->c_contiguous() ? *call.in[0] : converted(call.runtime, *call.in[0], call.in[0]->dtype);
  base.writable = true;
  Array place = place_of(call, base, path);
  place.writable = true;
  const Value index = index_value(*(*path.back().get<Attr::Tuple>())[1].get<Attr::Tuple>(), call.in.subspan(2));
  const Operand& value = call.in[1];
  Value item = value.kind == ir::Kind::Array ? make_array(*value) : make_scalar(value->dtype, value->data);
  if (place.storage == base.storage)
    set_item(call.runtime, place, index, item);
  else
    write_by_number(call, base, path, index, item);
  call.out[0] = std::move(base);
}

constexpr KernelRow kRows[] = {{ir::OpId::GetItem, getitem_kernel, "autoray"}, {ir::OpId::SetItem, setitem_kernel, "autoray"}};

}  // namespace

std::span<const KernelRow> item_kernels() { return kRows; }

}  // namespace autoray::runtime
