// The cache of `with lazy.shared_intermediates() as cache`: the nodes recorded in it, found by what they are. Two calls are one
// node when op, inputs, attributes (with their types) and backend are the same; a hash only finds candidates.
#pragma once

#include "ir/graph/graph.h"
#include "runtime/objects.h"

namespace autoray::runtime {

class SharingCache final : public NativeObject {
 public:
  explicit SharingCache(ir::Graph& graph) : graph_(graph), slots_(256) {}
  ~SharingCache() override { clear(); }
  std::string native_type() const override { return "SharingCache"; }
  bool get_attribute(Runtime&, std::string_view, Value&) override { return false; }
  std::optional<std::int64_t> length() const override { return static_cast<std::int64_t>(nodes_.size() - scalars_); }
  void clear() override;

  // The cached node of this call; kNoNode without one, then `insert` puts it at the place that was found.
  ir::NodeId find(ir::OpId op, std::span<const ir::NodeId> inputs, ir::AttrsId attrs, std::uint8_t backend);
  void insert(ir::NodeId node);
  // The same of scalars, by type and bits.
  ir::NodeId find_scalar(ir::TypesId types, const char (&item)[16]);
  void insert_scalar(ir::NodeId node) {
    insert(node);
    ++scalars_;
  }
  // Leaves of the same array: storage, view and version.
  std::unordered_map<std::string, ir::NodeId>& arrays() { return arrays_; }
  void keep_array(std::string key, ir::NodeId node);

 private:
  // The first node of this hash that `same` agrees to.
  template <class Same>
  ir::NodeId find_hashed(std::uint32_t hash, Same&& same);
  void grow();

  // Hashes stand in the table, so that neither a search nor growing touches nodes that are not asked for.
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t place = 0;  // 1 + in nodes_; 0: free
  };
  ir::Graph& graph_;
  std::vector<Slot> slots_;
  std::vector<ir::NodeId> nodes_;  // in the order in which they came, each counted
  std::size_t scalars_ = 0;        // of them
  std::uint32_t last_hash_ = 0;    // of what that `find` did not find
  std::size_t last_slot_ = 0;
  std::unordered_map<std::string, ir::NodeId> arrays_;
};

}  // namespace autoray::runtime
