// The cache of `with lazy.shared_intermediates() as cache`: the nodes recorded in it, found by what they are. Two calls are one
// node when op, inputs, attributes (with their types) and backend are the same; a hash only finds candidates.
#pragma once

#include "ir/graph/graph.h"
#include "runtime/objects.h"

namespace autoray::runtime {

class SharingCache final : public NativeObject {
 public:
  explicit SharingCache(ir::Graph& graph) : graph_(graph), slots_(64, ir::kNoNode) {}
  ~SharingCache() override { clear(); }
  std::string native_type() const override { return "SharingCache"; }
  bool get_attribute(Runtime&, std::string_view, Value&) override { return false; }
  std::optional<std::int64_t> length() const override { return static_cast<std::int64_t>(count_); }
  void clear() override;

  // The cached node of this call; kNoNode without one.
  ir::NodeId find(ir::OpId op, std::span<const ir::NodeId> inputs, ir::AttrsId attrs, std::uint8_t backend) const;
  void insert(ir::NodeId node);
  // Leaves of the same array: storage, view and version.
  std::unordered_map<std::string, ir::NodeId>& arrays() { return arrays_; }
  void keep_array(std::string key, ir::NodeId node);

 private:
  void grow();
  std::uint64_t hash(const ir::Node& node) const;

  ir::Graph& graph_;
  std::vector<ir::NodeId> slots_;
  std::size_t count_ = 0;
  std::unordered_map<std::string, ir::NodeId> arrays_;
};

}  // namespace autoray::runtime
