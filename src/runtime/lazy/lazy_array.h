// A lazy array of a script: one result of a node of the recording graph. 32 bytes of a pool that its recorder owns.
//
// Views and writes: a lazy array that is a view knows the cell of its base and the way there. A write through any of them makes
// a new version of the base (op setitem); whoever reads the base or another view of it afterwards sees that version.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ir/graph/graph.h"
#include "runtime/value.h"

namespace autoray::runtime {

class Recorder;

// Places of one size in chunks that are aligned to theirs, so that a place knows its chunk. Arrays come and go in waves, a
// graph's levels one after the other: empty chunks stay for the next wave while they are fewer than those in use, and go back
// to the system beyond. About 2 ns a place.
class LazyPool {
 public:
  LazyPool() = default;
  ~LazyPool();
  LazyPool(const LazyPool&) = delete;
  void* take() {
    if (!current_ || (!current_->free && current_->fresh == kPlaces)) [[unlikely]]
      find_chunk();
    ++current_->used;
    if (Place* place = current_->free) {
      current_->free = place->next;
      return place;
    }
    return current_->place(current_->fresh++);
  }
  static void give(void* memory) {
    auto* chunk = reinterpret_cast<Chunk*>(reinterpret_cast<std::uintptr_t>(memory) & ~std::uintptr_t{kChunk - 1});
    auto* place = static_cast<Place*>(memory);
    place->next = chunk->free;
    chunk->free = place;
    if (--chunk->used == 0 || chunk->full) [[unlikely]]
      chunk->pool->settle(*chunk);
  }
  std::size_t memory() const { return (in_use_ + empty_) * kChunk; }  // bytes

 private:
  static constexpr std::size_t kChunk = std::size_t{1} << 18, kPlace = 32;
  static constexpr std::uint32_t kPlaces = kChunk / kPlace - 2;  // the first two are the chunk's own
  static constexpr std::size_t kKept = 4;                        // empty chunks that stay in any case
  struct Place {
    Place* next;
  };
  // On the list of chunks with free places unless it is full or the current one.
  struct Chunk {
    LazyPool* pool;
    Chunk *before, *after;
    Place* free;          // given back
    std::uint32_t fresh;  // places that were never taken start here
    std::uint32_t used;
    bool full;  // known to be: on no list
    void* place(std::uint32_t i) { return reinterpret_cast<char*>(this) + (i + 2) * kPlace; }
  };
  static_assert(sizeof(Chunk) <= 2 * kPlace);

  void find_chunk();
  void settle(Chunk& chunk);  // a place of a full chunk was given back, or its last one
  void link(Chunk& chunk);
  void unlink(Chunk& chunk);

  Chunk* current_ = nullptr;
  Chunk* partial_ = nullptr;  // the list
  std::size_t in_use_ = 0, empty_ = 0;
};

class LazyArray final : public Object {
 public:
  static constexpr ObjectKind kKind = ObjectKind::Lazy;
  LazyArray(Recorder& r, ir::NodeId n) : Object(kKind), recorder(&r), node_(n) {}  // takes over one count of the node
  ~LazyArray() override;
  static void* operator new(std::size_t, LazyPool& pool) { return pool.take(); }
  static void operator delete(void* memory, LazyPool&) { LazyPool::give(memory); }
  static void operator delete(void* memory) { LazyPool::give(memory); }

  // The node that holds its present value: after a write through another view, a newer one.
  ir::NodeId node() const { return view_ ? current() : node_; }
  const ir::Type& type() const;
  // How often what it is a view of was written: two equal answers are one value.
  std::uint32_t version() const;

  Recorder* recorder;

 private:
  friend class Recorder;
  ir::NodeId current() const;

  mutable ir::NodeId node_;
  std::uint32_t view_ = 0;  // 1 + its place among the recorder's views; 0: nothing was viewed or written
};

static_assert(sizeof(LazyArray) == 32);

}  // namespace autoray::runtime
