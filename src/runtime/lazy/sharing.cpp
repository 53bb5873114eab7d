#include "runtime/lazy/sharing.h"

#include <algorithm>
#include <utility>

namespace autoray::runtime {
namespace {

std::uint32_t hash_call(ir::OpId op, std::span<const ir::NodeId> inputs, ir::AttrsId attrs, std::uint8_t backend) {
  std::uint64_t h = (static_cast<std::uint64_t>(op) << 40 | std::uint64_t{backend} << 32 | attrs) * 0x9e3779b97f4a7c15ull;
  for (ir::NodeId input : inputs) {
    h = (h ^ input) * 0xff51afd7ed558ccdull;
    h ^= h >> 32;
  }
  return static_cast<std::uint32_t>(h ^ (h >> 29));
}

}  // namespace

void SharingCache::clear() {
  for (ir::NodeId id : std::exchange(nodes_, {})) graph_.release(id);
  for (auto& [key, id] : std::exchange(arrays_, {})) graph_.release(id);
  table_.clear();
  scalars_ = 0;
}

ir::NodeId SharingCache::find(ir::OpId op, std::span<const ir::NodeId> inputs, ir::AttrsId attrs, std::uint8_t backend) {
  auto found = table_.find(hash_call(op, inputs, attrs, backend), [&](std::uint32_t place) {
    const ir::Node& n = graph_.node(nodes_[place]);
    // A node that was computed meanwhile is a leaf: it is not found again.
    if (n.kind != ir::NodeKind::Call || n.op != op || n.attrs != attrs || n.backend != backend) return false;
    auto theirs = n.inputs();
    return std::equal(inputs.begin(), inputs.end(), theirs.begin(), theirs.end());
  });
  return found == ir::TagTable::kNone ? ir::kNoNode : nodes_[found];
}

ir::NodeId SharingCache::find_scalar(ir::TypesId types, const char (&item)[16]) {
  auto found = table_.find(ir::scalar_hash(types, item), [&](std::uint32_t place) {
    const ir::Node& n = graph_.node(nodes_[place]);
    return n.holds_item() && n.same_item(types, item);
  });
  return found == ir::TagTable::kNone ? ir::kNoNode : nodes_[found];
}

void SharingCache::insert(ir::NodeId id) {
  nodes_.push_back(id);
  graph_.retain(id);
  table_.insert();
}

void SharingCache::keep_array(std::string key, ir::NodeId node) {
  graph_.retain(node);
  arrays_.emplace(std::move(key), node);
}

}  // namespace autoray::runtime
