#include "runtime/lazy/lazy_array.h"

#include <sys/mman.h>

#include <new>

#include "runtime/lazy/recorder.h"

namespace autoray::runtime {

// ---- the pool ----

namespace {

// Address space of twice the size, of which the aligned part stays.
void* map_aligned(std::size_t bytes) {
  void* mapped = mmap(nullptr, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* begin = static_cast<char*>(mapped);
  std::size_t before = -reinterpret_cast<std::uintptr_t>(begin) & (bytes - 1);
  if (before) munmap(begin, before);
  munmap(begin + before + bytes, bytes - before);
  return begin + before;
}

}  // namespace

void LazyPool::link(Chunk& chunk) {
  chunk.before = nullptr;
  chunk.after = partial_;
  if (partial_) partial_->before = &chunk;
  partial_ = &chunk;
}

void LazyPool::unlink(Chunk& chunk) {
  (chunk.before ? chunk.before->after : partial_) = chunk.after;
  if (chunk.after) chunk.after->before = chunk.before;
}

void LazyPool::find_chunk() {
  if (current_) current_->full = true;
  if (!partial_) {
    auto* fresh = new (map_aligned(kChunk)) Chunk{};
    fresh->pool = this;
    ++empty_;
    link(*fresh);
  }
  current_ = partial_;
  unlink(*current_);
  if (current_->used == 0) {
    --empty_;
    ++in_use_;
  }
}

void LazyPool::settle(Chunk& chunk) {
  if (&chunk == current_) return;
  if (chunk.full) {
    chunk.full = false;
    link(chunk);
  }
  if (chunk.used) return;
  --in_use_;
  ++empty_;
  // Empty ones stand together at the front, where they are found again.
  unlink(chunk);
  link(chunk);
  while (empty_ > kKept + in_use_ / 2 && partial_ && partial_->used == 0) {
    Chunk* gone = partial_;
    unlink(*gone);
    --empty_;
    munmap(gone, kChunk);
  }
}

LazyPool::~LazyPool() {
  // Whatever stands at the end was given back: arrays go before their recorder.
  if (current_) link(*current_);
  while (Chunk* chunk = partial_) {
    unlink(*chunk);
    munmap(chunk, kChunk);
  }
}

// ---- lazy arrays ----

LazyArray::~LazyArray() {
  if (view_) recorder->drop_view(view_ - 1);
  recorder->graph_.release(node_);
  --recorder->live_arrays_;
}

const ir::Type& LazyArray::type() const { return recorder->graph_.type(node()); }

std::uint32_t LazyArray::version() const { return view_ ? recorder->cells_[recorder->views_[view_ - 1].cell].version : 0; }

ir::NodeId LazyArray::current() const {
  Recorder::View& view = recorder->views_[view_ - 1];
  const Recorder::Cell& cell = recorder->cells_[view.cell];
  if (view.version != cell.version) {
    ir::NodeId fresh = recorder->replay(view);
    recorder->graph_.release(node_);
    node_ = fresh;
    view.version = cell.version;
  }
  return node_;
}

}  // namespace autoray::runtime
