#include "codegen/memory.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "ir/attributes.h"

namespace autoray::codegen {

using ir::Dims;
using ir::DType;
using ir::Index;
using ir::kNoIndex;
using ir::NodeKind;
using ir::OpId;

namespace {

std::int64_t item_bytes(DType dtype) { return static_cast<std::int64_t>(ir::itemsize(dtype)); }
std::int64_t type_bytes(const ir::Type& type) { return ir::element_count(type.shape) * item_bytes(type.dtype); }

}  // namespace

bool fortran_order(const Layout& layout, DType dtype) {
  runtime::Array array;
  array.dtype = dtype;
  array.shape = layout.shape;
  array.strides = layout.strides;
  return array.f_contiguous() && !array.c_contiguous();
}

Memory::Memory(runtime::Runtime& runtime, const ir::Block& block, std::span<const ArgumentInfo> arguments, Roles& roles,
               Program& program)
    : runtime_(runtime), block_(block), arguments_(arguments), roles_(roles), program_(program) {
  std::size_t n = block.nodes.size();
  where.resize(n);
  root_node.resize(n);
  in_place.assign(n, false);
  joined.assign(n, false);
  beside.assign(n, false);
  read_twice_.assign(n, false);
  has_views_.assign(n, false);
  result_.assign(n, false);
  for (Index r : block.results) result_[r] = true;
  first_layouts();
  last_uses();
  placements();
  make_roots();
}

void Memory::touch(RootId root, Index group) {
  roots[root].first = std::min(roots[root].first, group);
  roots[root].last = std::max(roots[root].last, group);
}

bool Memory::made_in_join(Index join, std::size_t operand) const {
  auto found = placed_.find(block_.inputs(join)[operand]);
  return found != placed_.end() && found->second == std::pair<Index, std::size_t>{join, operand};
}

RootId Memory::new_root(std::int64_t bytes, Home home, std::uint32_t number) {
  Root root;
  root.bytes = std::max<std::int64_t>(bytes, 1);
  root.home = home;
  root.number = number;
  roots.push_back(root);
  return static_cast<RootId>(roots.size() - 1);
}

// Shapes and strides, before roots are known: they decide what is a view.
void Memory::first_layouts() {
  auto n = static_cast<Index>(block_.nodes.size());
  for (Index i = 0; i < n; ++i) {
    root_node[i] = i;
    const ir::BlockNode& node = block_.nodes[i];
    const ir::Type& type = block_.type(i);
    if (roles_[i].role == Role::Argument) {
      where[i] = {new_root(type_bytes(type), Home::Argument, node.number), contiguous_layout(type)};
      const ArgumentInfo& info = arguments_[node.number];
      if (info.strides.size() == type.shape.size()) where[i].layout.strides = info.strides;
      Root& root = roots.back();
      root.before = 0;
      std::int64_t after = item_bytes(type.dtype);
      for (std::size_t k = 0; k < type.shape.size(); ++k) {
        std::int64_t reach = (type.shape[k] - 1) * where[i].layout.strides[k];
        (reach < 0 ? root.before : after) += std::abs(reach);
      }
      root.bytes = after;
      continue;
    }
    if (roles_[i].role != Role::View) {
      if (block_.types(i).size() == 1) where[i].layout = made_layout(i);
      continue;
    }
    Index x = block_.inputs(i)[0];
    // The layout is relative to a root whose place is found below; only shape
    // and strides decide whether this is a view.
    auto view = viewed(runtime_, node.op, roles_.attrs(i), where[x].layout, type.dtype, type);
    if (!view) {
      // Of a contiguous operand in the order of its elements it would be a view, so it is a copy of a strided one.
      const ir::Attr* order = node.op == OpId::Reshape || node.op == OpId::Ravel || node.op == OpId::Flatten
                                  ? &ir::attribute(ir::op(node.op), roles_.attrs(i), "order")
                                  : nullptr;
      if (order && order->get<std::string>() && *order->get<std::string>() == "C")
        roles_.become_copy(i);
      else
        roles_.become_call(i, "a movement that copies");
      where[i].layout = contiguous_layout(type);
      continue;
    }
    where[i].layout = std::move(*view);
    root_node[i] = root_node[x];
    has_views_[root_node[i]] = true;
  }
}
// What is made gets memory, results an array of their own.
void Memory::make_roots() {
  auto n = static_cast<Index>(block_.nodes.size());
  std::vector<bool> is_result_root(n, false);
  for (Index r : block_.results) is_result_root[root_node[r]] = true;
  // What is updated in place is the result's memory from its beginning.
  for (Index i = n; i-- > 0;)
    if (in_place[i] && is_result_root[i]) is_result_root[block_.inputs(i)[0]] = true;
  for (Index i = 0; i < n; ++i) {
    switch (roles_[i].role) {
      case Role::Argument: break;
      case Role::View: {
        Index x = block_.inputs(i)[0];
        Where& w = where[i];
        w.root = where[x].root;
        // A view of a view: its layout was computed from one without a place in
        // its root.
        auto view =
            viewed(runtime_, block_.nodes[i].op, roles_.attrs(i), where[x].layout, block_.type(i).dtype, block_.type(i));
        if (view) w.layout = std::move(*view);
        break;
      }
      case Role::Project: {
        Index of = block_.inputs(i)[0];
        where[i] = {first_dynamic_root_.at(of) + block_.nodes[i].number, contiguous_layout(block_.type(i))};
        break;
      }
      case Role::Call: {
        RootId first = static_cast<RootId>(roots.size());
        first_dynamic_root_[i] = first;
        for (const ir::Type& type : block_.types(i)) new_root(type_bytes(type), Home::Dynamic, program_.dynamic_count++);
        where[i] = {first, contiguous_layout(block_.type(i))};
        break;
      }
      default: {
        if (in_place[i]) {
          where[i] = where[block_.inputs(i)[0]];
          break;
        }
        if (auto found = placed_.find(i); found != placed_.end()) {
          // Its memory is part of a join's, whose root is made with its first
          // operand.
          const auto& [join, operand] = found->second;
          if (where[join].root == kNoRoot) make_root(join, is_result_root[join]);
          if (!beside[i]) {
            where[i] = part_of_join(join, operand);
            break;
          }
        }
        if (where[i].root == kNoRoot) make_root(i, is_result_root[i]);
      }
    }
  }
}
void Memory::make_root(Index i, bool result) {
  RootId root = new_root(type_bytes(block_.type(i)));
  if (result) {
    roots[root].home = Home::Output;
    roots[root].number = static_cast<std::uint32_t>(program_.output_bytes.size());
    program_.output_bytes.push_back(roots[root].bytes);
  }
  where[i] = {root, made_layout(i)};
}
// Element-wise results keep a Fortran order that all operands have, and new
// versions their base's, as eagerly.
Layout Memory::made_layout(Index i) const {
  const ir::Type& type = block_.type(i);
  Role role = roles_[i].role;
  if (type.shape.size() < 2 || (role != Role::Pointwise && role != Role::Update) || roles_[i].c_order)
    return contiguous_layout(type);
  bool any = roles_[i].f_order;
  std::size_t count = role == Role::Update ? 1 : block_.inputs(i).size();
  for (std::size_t k = 0; k < count; ++k) {
    Index x = block_.inputs(i)[k];
    if (roles_[i].f_order || x == kNoIndex || block_.type(x).shape.empty()) continue;
    const Layout& layout = where[x].layout;
    if (!(layout.shape == type.shape) || !fortran_order(layout, block_.type(x).dtype)) return contiguous_layout(type);
    any = true;
  }
  Layout layout = contiguous_layout(type);
  if (!any) return layout;
  std::int64_t step = item_bytes(type.dtype);
  for (std::size_t k = 0; k < type.shape.size(); ++k) {
    layout.strides[k] = step;
    step *= type.shape[k];
  }
  return layout;
}
void Memory::last_uses() {
  last_use_.assign(block_.nodes.size(), 0);
  for (Index i = 0; i < block_.nodes.size(); ++i) {
    if (roles_[i].role == Role::View) continue;
    for (Index input : block_.inputs(i)) {
      if (input == kNoIndex) continue;
      read_twice_[root_node[input]] = last_use_[root_node[input]] != 0;
      last_use_[root_node[input]] = i;
    }
  }
  for (Index r : block_.results) last_use_[root_node[r]] = kNoIndex;
}

// Updates in place, and operands that are made inside the result of their stack
// or concatenate.
void Memory::placements() {
  std::vector<std::pair<Index, std::size_t>> twice;
  // Where a chain of updates in place begins, itself where there is none.
  std::vector<Index> chain_start(block_.nodes.size());
  std::iota(chain_start.begin(), chain_start.end(), Index{0});
  for (Index i = 0; i < block_.nodes.size(); ++i) {
    if (roles_[i].role == Role::Update) {
      Index base = block_.inputs(i)[0];
      auto others = block_.inputs(i).subspan(1);
      bool own = root_node[base] == base && roles_[base].role != Role::Argument && roles_[base].role != Role::Project;
      own = own && !(roles_[base].role == Role::Call && block_.types(base).size() != 1);
      own = own && std::none_of(others.begin(), others.end(), [&](Index x) { return root_node[x] == base; });
      if (own && last_use_[base] == i && !result_[base] && !placed_.count(base) && !placed_.count(chain_start[base]) &&
          roles_[chain_start[base]].role != Role::Join) {
        in_place[i] = true;
        chain_start[i] = chain_start[base];
      }
    }
    if (roles_[i].role != Role::Join) continue;
    DType dtype = block_.type(i).dtype;
    auto inputs = block_.inputs(i);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      Index x = inputs[k];
      Role role = roles_[x].role;
      bool made = role == Role::Pointwise || role == Role::Fold || role == Role::Product;
      if (!made || block_.type(x).dtype != dtype || result_[x] || placed_.count(x) ||
          ir::element_count(block_.type(x).shape) == 0)
        continue;
      // A view of it may be a result, which may not look into the join's
      // memory; a reshape of it must stay possible.
      if (last_use_[x] == kNoIndex || has_views_[x]) continue;
      placed_[x] = {i, k};
      joined[x] = true;
      // The last axis lies as the result's, unless that is the axis along which it is joined.
      const Dims& strides = roles_[i].parts[k].strides;
      bool strided = !strides.empty() && strides.back() != item_bytes(dtype);
      beside[x] = strided && read_twice_[x] && role == Role::Pointwise && ir::element_count(block_.type(x).shape) > 1;
    }
    // Placed twice in one join: the second time it is copied.
    for (std::size_t k = 0; k < inputs.size(); ++k)
      if (joined[inputs[k]] && placed_[inputs[k]] != std::pair<Index, std::size_t>{i, k}) twice.push_back({i, k});
  }
  for (auto& [join, operand] : twice) {
    Index x = block_.inputs(join)[operand];
    joined[x] = beside[x] = false;
    placed_.erase(x);
  }
}
Where Memory::part_of_join(Index join, std::size_t operand) const {
  Where part{where[join].root, roles_[join].parts[operand]};
  part.layout.offset += where[join].layout.offset;
  return part;
}

Where Memory::part_of_join(Index operand) const {
  auto [join, number] = placed_.at(operand);
  return part_of_join(join, number);
}

RootId Memory::constant(DType dtype, double value) {
  auto key = std::pair{dtype, value};
  if (auto found = constants_.find(key); found != constants_.end()) return found->second;
  RootId root = new_root(item_bytes(dtype), Home::Constants);
  roots[root].offset = static_cast<std::int64_t>(program_.constants.size());
  char bytes[8] = {};
  if (dtype == DType::Float32) {
    auto single_precision = static_cast<float>(value);
    std::memcpy(bytes, &single_precision, 4);
  } else if (dtype == DType::Int64) {
    auto integer = static_cast<std::int64_t>(value);
    std::memcpy(bytes, &integer, 8);
  } else {
    std::memcpy(bytes, &value, 8);
  }
  program_.constants.insert(program_.constants.end(), bytes, bytes + 8);
  return constants_[key] = root;
}

void Memory::pack(Index groups) {
  constexpr std::int64_t kAlign = 64;
  std::vector<std::vector<RootId>> starts(groups), ends(groups);
  for (RootId r = 0; r < roots.size(); ++r) {
    if (roots[r].home != Home::Arena || roots[r].first == kNoIndex) continue;
    starts[roots[r].first].push_back(r);
    ends[roots[r].last].push_back(r);
  }
  // Free pieces by offset; first fit, neighbours joined.
  std::map<std::int64_t, std::int64_t> free;
  std::int64_t end = 0;
  auto size = [&](RootId r) { return (roots[r].bytes + kAlign - 1) / kAlign * kAlign; };
  for (Index g = 0; g < groups; ++g) {
    for (RootId r : starts[g]) {
      std::int64_t need = size(r);
      auto piece = std::find_if(free.begin(), free.end(), [&](const auto& p) { return p.second >= need; });
      if (piece == free.end()) {
        // The last piece grows where it reaches the end.
        if (!free.empty() && free.rbegin()->first + free.rbegin()->second == end) {
          roots[r].offset = free.rbegin()->first;
          end = roots[r].offset + need;
          free.erase(std::prev(free.end()));
        } else {
          roots[r].offset = end;
          end += need;
        }
      } else {
        roots[r].offset = piece->first;
        std::int64_t rest = piece->second - need, at = piece->first + need;
        free.erase(piece);
        if (rest) free[at] = rest;
      }
    }
    for (RootId r : ends[g]) {
      auto [at, fresh] = free.emplace(roots[r].offset, size(r));
      auto next = std::next(at);
      if (next != free.end() && at->first + at->second == next->first) {
        at->second += next->second;
        free.erase(next);
      }
      if (at != free.begin()) {
        auto previous = std::prev(at);
        if (previous->first + previous->second == at->first) {
          previous->second += at->second;
          free.erase(at);
        }
      }
    }
  }
  program_.arena_bytes = end;
}
Place Memory::place(RootId r, std::int64_t offset) const {
  const Root& root = roots[r];
  return {root.home, root.number, (root.home == Home::Arena || root.home == Home::Constants ? root.offset : 0) + offset};
}

}  // namespace autoray::codegen
