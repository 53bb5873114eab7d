// The cache of `with lazy.shared_intermediates() as cache`: the nodes recorded in it, found by what they are. Two calls are one
// node when op, inputs, attributes (with their types) and backend are the same; a hash only finds candidates.
#pragma once

#include "ir/graph/graph.h"
#include "ir/graph/tag_table.h"
#include "runtime/objects.h"

namespace autoray::runtime {

class SharingCache final : public NativeObject {
 public:
  explicit SharingCache(ir::Graph& graph) : graph_(graph) {}
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
  ir::Graph& graph_;
  ir::TagTable table_;             // of the places in nodes_
  std::vector<ir::NodeId> nodes_;  // in the order in which they came, each counted
  std::size_t scalars_ = 0;        // of them
  std::unordered_map<std::string, ir::NodeId> arrays_;
};

}  // namespace autoray::runtime
