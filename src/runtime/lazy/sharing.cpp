#include "runtime/lazy/sharing.h"

#include <algorithm>

namespace autoray::runtime {
namespace {

std::uint64_t hash_call(ir::OpId op, std::span<const ir::NodeId> inputs, ir::AttrsId attrs, std::uint8_t backend) {
  std::uint64_t h = (static_cast<std::uint64_t>(op) << 40 | std::uint64_t{backend} << 32 | attrs) * 0x9e3779b97f4a7c15ull;
  for (ir::NodeId input : inputs) {
    h = (h ^ input) * 0xff51afd7ed558ccdull;
    h ^= h >> 32;
  }
  return h ^ (h >> 29);
}

}  // namespace

void SharingCache::clear() {
  for (ir::NodeId& id : slots_)
    if (id != ir::kNoNode) graph_.release(std::exchange(id, ir::kNoNode));
  for (auto& [key, id] : arrays_) graph_.release(id);
  arrays_.clear();
  count_ = 0;
}

std::uint64_t SharingCache::hash(const ir::Node& n) const { return hash_call(n.op, n.inputs(), n.attrs, n.backend); }

ir::NodeId SharingCache::find(ir::OpId op, std::span<const ir::NodeId> inputs, ir::AttrsId attrs, std::uint8_t backend) const {
  std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash_call(op, inputs, attrs, backend) & mask; slots_[at] != ir::kNoNode; at = (at + 1) & mask) {
    const ir::Node& n = graph_.node(slots_[at]);
    // A node that was computed meanwhile is a leaf: it is not found again.
    if (n.kind != ir::NodeKind::Call || n.op != op || n.attrs != attrs || n.backend != backend) continue;
    auto theirs = n.inputs();
    if (std::equal(inputs.begin(), inputs.end(), theirs.begin(), theirs.end())) return slots_[at];
  }
  return ir::kNoNode;
}

void SharingCache::insert(ir::NodeId id) {
  if ((count_ + 1) * 2 > slots_.size()) grow();
  std::size_t mask = slots_.size() - 1, at = hash(graph_.node(id)) & mask;
  while (slots_[at] != ir::kNoNode) at = (at + 1) & mask;
  slots_[at] = id;
  graph_.retain(id);
  ++count_;
}

void SharingCache::grow() {
  std::vector<ir::NodeId> old(slots_.size() * 2, ir::kNoNode);
  old.swap(slots_);
  std::size_t mask = slots_.size() - 1;
  count_ = 0;
  for (ir::NodeId id : old) {
    if (id == ir::kNoNode) continue;
    if (graph_.node(id).kind != ir::NodeKind::Call) {
      graph_.release(id);
      continue;
    }
    std::size_t at = hash(graph_.node(id)) & mask;
    while (slots_[at] != ir::kNoNode) at = (at + 1) & mask;
    slots_[at] = id;
    ++count_;
  }
}

void SharingCache::keep_array(std::string key, ir::NodeId node) {
  graph_.retain(node);
  arrays_.emplace(std::move(key), node);
}

}  // namespace autoray::runtime
