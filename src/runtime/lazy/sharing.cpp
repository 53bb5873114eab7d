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
  slots_.assign(slots_.size(), {});
  scalars_ = 0;
}

template <class Same>
ir::NodeId SharingCache::find_hashed(std::uint32_t hash, Same&& same) {
  std::size_t mask = slots_.size() - 1;
  last_hash_ = hash;
  for (last_slot_ = hash & mask; slots_[last_slot_].place; last_slot_ = (last_slot_ + 1) & mask) {
    if (slots_[last_slot_].hash != hash) continue;
    ir::NodeId id = nodes_[slots_[last_slot_].place - 1];
    if (same(graph_.node(id))) return id;
  }
  return ir::kNoNode;
}

ir::NodeId SharingCache::find(ir::OpId op, std::span<const ir::NodeId> inputs, ir::AttrsId attrs, std::uint8_t backend) {
  return find_hashed(hash_call(op, inputs, attrs, backend), [&](const ir::Node& n) {
    // A node that was computed meanwhile is a leaf: it is not found again.
    if (n.kind != ir::NodeKind::Call || n.op != op || n.attrs != attrs || n.backend != backend) return false;
    auto theirs = n.inputs();
    return std::equal(inputs.begin(), inputs.end(), theirs.begin(), theirs.end());
  });
}

ir::NodeId SharingCache::find_scalar(ir::TypesId types, const char (&item)[16]) {
  return find_hashed(ir::scalar_hash(types, item),
                     [&](const ir::Node& n) { return n.holds_item() && n.same_item(types, item); });
}

void SharingCache::insert(ir::NodeId id) {
  nodes_.push_back(id);
  graph_.retain(id);
  slots_[last_slot_] = {last_hash_, static_cast<std::uint32_t>(nodes_.size())};
  if (nodes_.size() * 2 > slots_.size()) grow();
}

void SharingCache::grow() {
  std::vector<Slot> old(slots_.size() * 4);
  old.swap(slots_);
  std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (!slot.place) continue;
    std::size_t at = slot.hash & mask;
    while (slots_[at].place) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

void SharingCache::keep_array(std::string key, ir::NodeId node) {
  graph_.retain(node);
  arrays_.emplace(std::move(key), node);
}

}  // namespace autoray::runtime
