// Arrays that no cache holds: what such a map makes passes the caches by, and what is folded of it is folded while it is there.
#include <algorithm>

#include "codegen/emit/emitter.h"

namespace autoray::codegen {

// A dense result of a map, of which the map reads nothing.
bool Emitter::is_streamed(const Store& s) const {
  return nest_->streams && !options_.check_bounds && s.offset == kNoValue && dense_along(s.to, nest_->extents.size() - 1) &&
         std::ranges::none_of(nest_->loads, [&](const Access& access) { return access.buffer == s.to.buffer; });
}

void Emitter::stream(Value* v, Value* pointer) {
  const auto bytes = static_cast<std::uint64_t>(module_.getDataLayout().getTypeStoreSize(v->getType()));
  auto* store = b_.CreateAlignedStore(v, pointer, llvm::Align(bytes));
  store->setMetadata(llvm::LLVMContext::MD_nontemporal,
                     llvm::MDNode::get(context_, llvm::ConstantAsMetadata::get(b_.getInt32(1))));
  streamed_any_ = true;
}

// The body with streamed stores where the rows of all results that are streamed begin at a vector's alignment, which such
// stores ask for, and without elsewhere.
void Emitter::streamed(const Pointers& pointers, const std::function<void()>& body) {
  Value* bits = nullptr;
  for (std::size_t i = 0; i < nest_->stores.size(); ++i)
    if (is_streamed(nest_->stores[i])) {
      Value* address = b_.CreatePtrToInt(pointers.stores[i], b_.getInt64Ty());
      bits = bits ? b_.CreateOr(bits, address) : address;
    }
  if (!bits) return body();
  Value* off = b_.CreateAnd(bits, b_.getInt64(static_cast<std::uint64_t>(options_.vector_bytes - 1)));
  branch(
      b_.CreateICmpEQ(off, b_.getInt64(0)),
      [&] {
        streams_ = true;
        body();
        streams_ = false;
      },
      body);
}

FetchAhead fetch_ahead(std::string_view cpu) {
  if (cpu.starts_with("znver")) return FetchAhead::Burst;
  return cpu.starts_with("x86-64") ? FetchAhead::None : FetchAhead::Prefetch;
}

// f(place, bytes of an item) for each array that the nest follows densely, at an index of its last dimension.
void Emitter::for_each_dense(const Pointers& pointers, Value* index, const std::function<void(Value*, std::int64_t)>& f) {
  const std::size_t axis = nest_->extents.size() - 1;
  for (std::size_t i = 0; i < nest_->loads.size(); ++i)
    if (const Access& access = nest_->loads[i]; access.buffer != kNoBuffer && dense_along(access, axis))
      f(advanced(pointers.loads[i], index, access.strides[axis]), item(access.buffer));
}

// The processor's own fetching ahead ends with each page.
void Emitter::prefetch(const Pointers& pointers, Value* index) {
  if (options_.fetch_ahead != FetchAhead::Prefetch) return;
  constexpr std::uint64_t kAhead = 512;  // bytes
  for_each_dense(pointers, index, [&](Value* place, std::int64_t) {
    b_.CreateIntrinsic(llvm::Intrinsic::prefetch, {b_.getPtrTy()},
                       {b_.CreatePtrAdd(place, b_.getInt64(kAhead)), b_.getInt32(0), b_.getInt32(3), b_.getInt32(1)});
  });
}

// A number of each line of the next kBurst points, array by array.
void Emitter::read_burst(const Pointers& pointers, Value* index) {
  constexpr std::int64_t kLine = 64;
  for_each_dense(pointers, index, [&](Value* place, std::int64_t item) {
    for (std::int64_t at = 0; at < kBurst * item; at += kLine)
      b_.CreateLoad(b_.getInt8Ty(), b_.CreatePtrAdd(place, b_.getInt64(static_cast<std::uint64_t>(at))), /*isVolatile=*/true);
  });
}

// Blocks of the map and of the fold take turns.
void Emitter::emit_map_and_fold(const Nest& map, const Nest& fold) {
  nest_ = &map;
  const Pointers places = bases();
  nest_ = &fold;
  uniform_.clear();
  fold_dtype_ = fold.body[fold.folded].dtype;
  // The tree hands on the map's places as those of loads.
  Pointers all = bases();
  const std::size_t terms = all.loads.size(), reads = places.loads.size();
  all.loads.insert(all.loads.end(), places.loads.begin(), places.loads.end());
  all.loads.insert(all.loads.end(), places.stores.begin(), places.stores.end());
  Value* sum = fold_tree(
      all, number(fold.extents[0]), 1, kRow * kBlock + kBlock - 1, [&](const Pointers& inner, Value* begin, Value* count) {
        auto part = [&](std::size_t from, std::size_t to) {
          return std::vector<Value*>(inner.loads.begin() + static_cast<std::ptrdiff_t>(from),
                                     inner.loads.begin() + static_cast<std::ptrdiff_t>(to));
        };
        const Pointers of_fold{part(0, terms), {}}, of_map{part(terms, terms + reads), part(terms + reads, inner.loads.size())};
        return fold_blocks(of_fold, begin, count, [&](Value* from, Value* points) {
          nest_ = &map;
          hoist(of_map, 0);
          emit_points(of_map, 0, from, b_.CreateAdd(from, points), true);
          nest_ = &fold;
        });
      });
  give(bases(), {0, b_.getInt64(0), 1, nullptr}, sum);
}

}  // namespace autoray::codegen
