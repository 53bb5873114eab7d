// Fills and copies of which later steps leave nothing, as x = np.zeros(n) before every item of x is assigned.
#pragma once

#include <map>
#include <vector>

#include "codegen/recurrence.h"

namespace autoray::codegen {

class Overwritten {
 public:
  // The steps of a program in order, one after the other.
  void add(std::size_t step, const Kernel& kernel, const Operands& in);
  // A step that is no kernel may read all of the root.
  void use(RootId root) { waiting_.erase(root); }

  std::vector<std::size_t> steps;  // nothing reads what these put down

 private:
  struct Bytes {
    std::int64_t begin = 0, end = 0;  // in the root
    bool empty() const { return begin >= end; }
    bool holds(const Bytes& other) const { return begin <= other.begin && other.end <= end; }
    bool meets(const Bytes& other) const { return begin < other.end && other.begin < end; }
    bool touches(const Bytes& other) const { return begin <= other.end && other.begin <= end; }
  };
  struct Waiting {
    std::size_t step;
    Bytes filled, written;  // what was written since is one piece, or the step stays
  };
  static Bytes reach(const Kernel& kernel, const Nest& nest, const Access& access, const Operands& in, std::int64_t& items);
  static std::optional<Bytes> one_piece(const Kernel& kernel, const Nest& nest, const Store& store, const Operands& in);
  void read(std::map<RootId, Waiting>::iterator fill, const Bytes& bytes);
  void write(std::map<RootId, Waiting>::iterator fill, const Bytes& bytes);

  std::map<RootId, Waiting> waiting_;  // the first of each root
};

}  // namespace autoray::codegen
