#include "codegen/groups.h"

#include <algorithm>

namespace autoray::codegen {

using ir::Index;
using ir::kNoIndex;

namespace {

// A kernel stays readable, and its compile short.
constexpr std::size_t kLargest = 96;
constexpr std::int64_t kMuch = std::int64_t{1} << 20;  // bytes

class Sweep {
 public:
  Sweep(const ir::Block& block, Roles& roles, std::span<const Index> place_root, const std::vector<bool>& in_place,
        const std::vector<bool>& joined)
      : block_(block), roles_(roles), root_(place_root), in_place_(in_place), joined_(joined) {
    group_.assign(block.nodes.size(), kNoIndex);
    level_.assign(block.nodes.size(), 0);
  }

  Groups run() {
    for (Index i = 0; i < block_.nodes.size(); ++i) {
      switch (roles_[i].role) {
        case Role::Argument:
        case Role::View:
        case Role::Nothing:
        case Role::Project: break;
        case Role::Pointwise:
        case Role::Scan:
        case Role::Fold: join(i); break;
        case Role::Product:
          start(i);
          level_[i] = groups_[group_[i]].level = 1;
          break;
        case Role::Join:
          // All operands stand in its memory already: no work is left.
          if (!needs_copies(i)) break;
          [[fallthrough]];
        case Role::Update:
          if (in_place_[i] && joins_its_value(i)) break;
          [[fallthrough]];
        case Role::Routine:
        case Role::CallInto:
        case Role::Call:
          start(i);
          groups_[group_[i]].call =
              roles_[i].role == Role::Call || roles_[i].role == Role::CallInto || roles_[i].role == Role::Routine;
          groups_[group_[i]].level = 1;
          level_[i] = 1;
          if (in_place_[i]) barrier_ = group_[i];
          break;
      }
    }
    Groups result;
    result.of.assign(block_.nodes.size(), kNoIndex);
    for (Draft& draft : groups_) {
      if (draft.nodes.empty()) continue;
      std::sort(draft.nodes.begin(), draft.nodes.end());
      draft.nodes.insert(draft.nodes.end(), draft.written.begin(), draft.written.end());
      for (Index i : draft.nodes) result.of[i] = static_cast<Index>(result.list.size());
      result.list.push_back({std::move(draft.nodes), draft.written.size(), draft.call, draft.level});
    }
    return result;
  }

 private:
  struct Draft {
    std::vector<Index> nodes;
    bool call = false;
    int level = 0;
    Index first_consumer = kNoIndex;  // the earliest other group that uses one of its values
    std::vector<Index> written;       // writes in place that end it: what comes later may not see them
  };

  // A write in place is the end of the kernel that computes what is written, where that is the newest one: whoever reads the
  // old version has been met.
  bool joins_its_value(Index i) {
    Index g = group_of(block_.inputs(i)[1]);
    // As a rule what makes the memory, a fill or a copy, comes between.
    if (g != kNoIndex && g + 2 == groups_.size() && !groups_[g].call && groups_[g].written.empty() &&
        newest_waits_for_nothing()) {
      swap_newest();
      ++g;
    }
    if (g == kNoIndex || g + 1 != groups_.size() || groups_[g].call || groups_[g].nodes.empty()) return false;
    group_[i] = g;
    groups_[g].level = level_[i] = 1;
    groups_[g].written.push_back(i);
    consume(i);
    barrier_ = g;
    return true;
  }
  // It writes what no earlier group knows, and reads what none makes.
  bool newest_waits_for_nothing() {
    return groups_.back().written.empty() && std::ranges::all_of(groups_.back().nodes, [&](Index node) {
             return roles_[node].role == Role::Pointwise && std::ranges::all_of(block_.inputs(node), [&](Index input) {
                      return input == kNoIndex || group_of(input) == kNoIndex;
                    });
           });
  }
  // The two newest groups change places. No other one is used by the newest, and numbers of first consumers may be too early.
  void swap_newest() {
    const auto newest = static_cast<Index>(groups_.size() - 1);
    std::swap(groups_[newest - 1], groups_[newest]);
    for (Index g : {newest - 1, newest})
      for (Index node : groups_[g].nodes) group_[node] = g;
  }
  bool sees_an_update(Index i, Index group) {
    return std::ranges::any_of(block_.inputs(i), [&](Index input) {
      return input != kNoIndex && roles_[root_[input]].role == Role::Update && group_of(input) == group;
    });
  }
  bool goes_beside(Index i, Index group) {
    const Draft& g = groups_[group];
    if (g.call || g.nodes.empty() || g.nodes.size() >= kLargest || sees_an_update(i, group)) return false;
    Index last = g.nodes.back();
    return roles_[last].role == Role::Pointwise && block_.type(last).shape == block_.type(i).shape;
  }
  bool needs_copies(Index i) const {
    for (Index input : block_.inputs(i))
      if (!joined_[input]) return true;
    return false;
  }
  // The group that makes an input's memory or value. Merged groups have moved.
  Index group_of(Index input) {
    Index root = root_[input];
    while (block_.nodes[root].kind == ir::NodeKind::Project) root = block_.inputs(root)[0];
    Index g = group_[root];
    if (g == kNoIndex) {
      // A join without copies is ready when all of its operands are.
      if (roles_[root].role != Role::Join) return kNoIndex;
      Index latest = kNoIndex;
      for (Index part : block_.inputs(root)) {
        Index of_part = group_of(part);
        if (of_part != kNoIndex && (latest == kNoIndex || of_part > latest)) latest = of_part;
      }
      return latest;
    }
    return g;
  }
  void start(Index i) {
    group_[i] = static_cast<Index>(groups_.size());
    groups_.emplace_back();
    groups_.back().nodes.push_back(i);
    consume(i);
  }
  // Notes that i's group uses its inputs' groups.
  void consume(Index i) {
    for (Index input : block_.inputs(i)) {
      if (input == kNoIndex) continue;
      Index g = group_of(input);
      if (g != kNoIndex && g != group_[i]) groups_[g].first_consumer = std::min(groups_[g].first_consumer, group_[i]);
    }
  }
  void join(Index i) {
    const bool fold = roles_[i].role == Role::Fold || roles_[i].role == Role::Scan;
    Index latest = kNoIndex;
    for (Index input : block_.inputs(i)) {
      if (input == kNoIndex) continue;
      Index g = group_of(input);
      if (g != kNoIndex && (latest == kNoIndex || g > latest)) latest = g;
    }
    if (latest == kNoIndex || groups_[latest].call || groups_[latest].nodes.size() >= kLargest) return start_fold(i, fold);
    // What does not see what the kernel writes in place can be computed before it is written; what does, beside others that do.
    if (!groups_[latest].written.empty() && (fold || sees_an_update(i, latest))) {
      auto newest = static_cast<Index>(groups_.size() - 1);
      if (fold || newest == latest || !goes_beside(i, newest)) return start_fold(i, fold);
      latest = newest;
    }
    int level = 0;
    for (Index input : block_.inputs(i))
      if (input != kNoIndex && group_of(input) == latest) level = std::max(level, level_[root_[input]]);
    if (fold && level > 0 && !roles_[i].together && !reads_much(i)) return start_fold(i, fold);
    group_[i] = latest;
    groups_[latest].nodes.push_back(i);
    // What only this kernel needs is computed in it.
    for (Index input : block_.inputs(i)) {
      if (input == kNoIndex) continue;
      Index g = group_of(input);
      if (g == kNoIndex || g == latest) continue;
      if (can_merge(g, latest, fold)) {
        level = std::max(level, level_[root_[input]]);
        merge(g, latest);
      }
    }
    consume(i);
    level_[i] = fold ? 1 : level;
    groups_[latest].level = std::max(groups_[latest].level, level_[i]);
  }
  // A sum of more than the caches hold is made of what was just computed, whatever that depends on.
  bool reads_much(Index i) const {
    Index x = block_.inputs(i)[0];
    return roles_[i].role == Role::Fold && roles_[x].role == Role::Pointwise && ir::element_count(block_.type(i).shape) == 1 &&
           ir::byte_count(block_, x) >= kMuch;
  }
  void start_fold(Index i, bool fold) {
    start(i);
    level_[i] = fold ? 1 : 0;
    groups_[group_[i]].level = level_[i];
  }
  bool can_merge(Index from, Index into, bool fold) const {
    const Draft &a = groups_[from], &b = groups_[into];
    if (a.call || a.nodes.size() + b.nodes.size() > kLargest) return false;
    if (!a.written.empty() || (barrier_ != kNoIndex && from < barrier_)) return false;
    if (a.first_consumer != kNoIndex && a.first_consumer < into) return false;
    // A fold of the later kernel may not come to depend on one of the earlier.
    if (a.level > 0 && (fold || a.first_consumer == into)) return false;
    return true;
  }
  void merge(Index from, Index into) {
    for (Index node : groups_[from].nodes) group_[node] = into;
    groups_[into].nodes.insert(groups_[into].nodes.end(), groups_[from].nodes.begin(), groups_[from].nodes.end());
    groups_[into].level = std::max(groups_[into].level, groups_[from].level);
    groups_[from].nodes.clear();
    // What it used is now used later; keeping the earlier number forbids merges that would be allowed, never the reverse.
    groups_[from].first_consumer = 0;
  }

  const ir::Block& block_;
  Roles& roles_;
  std::span<const Index> root_;
  const std::vector<bool>& in_place_;
  const std::vector<bool>& joined_;
  std::vector<Draft> groups_;
  std::vector<Index> group_;
  std::vector<int> level_;
  Index barrier_ = kNoIndex;
};

}  // namespace

Groups make_groups(const ir::Block& block, Roles& roles, std::span<const Index> place_root, const std::vector<bool>& in_place,
                   const std::vector<bool>& joined) {
  return Sweep(block, roles, place_root, in_place, joined).run();
}

}  // namespace autoray::codegen
