// A lazy array of a script: one result of a node of the recording graph. 32 bytes from a free list.
//
// Views and writes: a lazy array that is a view knows the cell of its base and the way there. A write through any of them makes
// a new version of the base (op setitem); whoever reads the base or another view of it afterwards sees that version.
#pragma once

#include "ir/graph/graph.h"
#include "runtime/value.h"

namespace autoray::runtime {

class Recorder;

class LazyArray final : public Object {
 public:
  static constexpr ObjectKind kKind = ObjectKind::Lazy;
  LazyArray(Recorder& r, ir::NodeId n) : Object(kKind), recorder(&r), node_(n) {}  // takes over one count of the node
  ~LazyArray() override;
  static void* operator new(std::size_t size);
  static void operator delete(void* memory);

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

}  // namespace autoray::runtime
