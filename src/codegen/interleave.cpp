#include "codegen/interleave.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>

#include "ir/error.h"

namespace autoray::codegen {

using ir::Index;
using ir::kNoIndex;

namespace {

// Steps from a short kernel to one that needs it. Four cover the latency of a sum of a few vectors; more would only keep more
// rows alive.
constexpr std::uint32_t kApart = 4;
// Elements that a short kernel reads and writes: what is longer fills the processor by itself.
constexpr std::int64_t kShort = 1024;

class Interleaving {
 public:
  Interleaving(const ir::Block& block, const Roles& roles, const Memory& memory, const Groups& groups)
      : block_(block),
        roles_(roles),
        memory_(memory),
        groups_(groups),
        count_(static_cast<Index>(groups.list.size())),
        vertex_(groups.of) {
    // A join whose operands are all made in its memory is no work; who needs it needs all of them.
    Index vertices = count_;
    for (Index i = 0; i < block.nodes.size(); ++i) {
      if (vertex_[i] != kNoIndex || roles[i].role != Role::Join) continue;
      vertex_[i] = vertices++;
      Index latest = 0;
      for (Index part : block.inputs(i)) latest = std::max(latest, groups.of[part]);
      last_parts_.push_back(latest);
    }
    waits_for_.assign(vertices, 0);
    from_.assign(vertices + 1, 0);
    delay_.assign(vertices, 0);
    for (Index g = 0; g < count_; ++g) delay_[g] = is_short(g) ? kApart : 1;
  }

  std::vector<Index> order() {
    for_each_edge([&](Index from, Index to) {
      ++from_[from + 1];
      ++waits_for_[to];
    });
    std::partial_sum(from_.begin(), from_.end(), from_.begin());
    to_.resize(from_.back());
    std::vector<Index> next(from_.begin(), from_.end() - 1);
    for_each_edge([&](Index from, Index to) { to_[next[from]++] = to; });
    return scheduled();
  }

 private:
  bool is_short(Index group) const {
    if (groups_.list[group].call) return false;
    std::int64_t elements = 0;
    for (Index i : groups_.list[group].nodes) {
      elements += ir::element_count(block_, i);
      for (Index x : block_.inputs(i))
        if (x != kNoIndex && groups_.of[x] != group) elements += ir::element_count(block_, x);
    }
    return elements <= kShort;
  }

  Index vertex(Index node) const {
    Index root = memory_.root_node[node];
    while (roles_[root].role == Role::Project) root = block_.inputs(root)[0];
    return vertex_[root];
  }

  // f(u, v): v needs u. The same twice; every group before those that need it in the order that was given.
  template <class F>
  void for_each_edge(F&& f) const {
    for (Index i = 0; i < block_.nodes.size(); ++i) {
      const Index to = vertex_[i];
      if (to == kNoIndex) continue;
      // The group that makes the last part of a join may use the join itself: others need both.
      const Index apart = to >= count_ ? last_parts_[to - count_] : kNoIndex;
      for (Index x : block_.inputs(i)) {
        if (x == kNoIndex) continue;
        const Index from = vertex(x);
        if (from == kNoIndex || from == to || from == apart) continue;
        f(from, to);
        if (from >= count_ && last_parts_[from - count_] != to) f(last_parts_[from - count_], to);
      }
    }
    keep_updates(f);
    Index last = kNoIndex;
    for (Index g = 0; g < count_; ++g) {
      const Group& group = groups_.list[g];
      if (!group.call && std::ranges::none_of(group.nodes, [&](Index i) { return roles_[i].indexing.has_value(); })) continue;
      if (last != kNoIndex) f(last, g);
      last = g;
    }
  }

  // What reads memory that is written in place keeps its side of the write.
  template <class F>
  void keep_updates(F& f) const {
    struct Accesses {
      Index write = kNoIndex;
      std::vector<Index> since;
    };
    std::unordered_map<RootId, Accesses> written;
    for (Index i = 0; i < block_.nodes.size(); ++i)
      if (memory_.in_place[i]) written.try_emplace(memory_.where[i].root);
    if (written.empty()) return;
    for (Index g = 0; g < count_; ++g) {
      auto access = [&](Index i) {
        auto found = written.find(memory_.where[i].root);
        if (found == written.end()) return;
        if (Accesses& a = found->second; a.since.empty() || a.since.back() != g) {
          if (a.write != kNoIndex && a.write != g) f(a.write, g);
          a.since.push_back(g);
        }
      };
      for (Index i : groups_.list[g].nodes) {
        access(i);
        for (Index x : block_.inputs(i))
          if (x != kNoIndex) access(x);
      }
      for (Index i : groups_.list[g].nodes) {
        if (!memory_.in_place[i]) continue;
        Accesses& a = written.at(memory_.where[i].root);
        for (Index before : a.since)
          if (before != g) f(before, g);
        a = {g, {g}};
      }
    }
  }

  std::vector<Index> scheduled() {
    using Timed = std::pair<std::uint64_t, Index>;  // from when on, which
    std::priority_queue<Timed, std::vector<Timed>, std::greater<>> waiting;
    std::priority_queue<Index, std::vector<Index>, std::greater<>> ready;
    std::vector<std::uint64_t> when(waits_for_.size(), 0);
    std::vector<Index> done, order;
    order.reserve(count_);
    auto may_run = [&](Index v) { v < count_ ? waiting.push({when[v], v}) : done.push_back(v); };
    // Lets go who waited for it.
    auto finish = [&](Index v, std::uint64_t at) {
      when[v] = at;
      done.push_back(v);
      while (!done.empty()) {
        Index u = done.back();
        done.pop_back();
        for (Index k = from_[u]; k < from_[u + 1]; ++k) {
          Index w = to_[k];
          when[w] = std::max(when[w], when[u]);
          if (--waits_for_[w] == 0) may_run(w);
        }
      }
    };
    std::vector<Index> first;
    for (Index v = 0; v < waits_for_.size(); ++v)
      if (waits_for_[v] == 0) first.push_back(v);
    for (Index v : first) v < count_ ? waiting.push({0, v}) : finish(v, 0);
    for (std::uint64_t now = 0; order.size() < count_; ++now) {
      if (ready.empty()) {
        if (waiting.empty()) throw ir::Error(ir::ErrorClass::SystemError, "kernels need each other in a circle").with_code(901);
        now = std::max(now, waiting.top().first);
      }
      for (; !waiting.empty() && waiting.top().first <= now; waiting.pop()) ready.push(waiting.top().second);
      Index g = ready.top();
      ready.pop();
      order.push_back(g);
      finish(g, now + delay_[g]);
    }
    return order;
  }

  const ir::Block& block_;
  const Roles& roles_;
  const Memory& memory_;
  const Groups& groups_;
  const Index count_;
  std::vector<Index> vertex_;             // by node: its group, or a number beyond them
  std::vector<Index> last_parts_;         // by number beyond the groups: the last group that makes a part of the join
  std::vector<std::uint32_t> waits_for_;  // by vertex: edges whose beginning did not run yet
  std::vector<Index> from_, to_;          // edges by their beginning
  std::vector<std::uint32_t> delay_;      // by vertex: steps until others may use it
};

}  // namespace

void interleave(const ir::Block& block, const Roles& roles, const Memory& memory, Groups& groups) {
  std::vector<Index> order = Interleaving(block, roles, memory, groups).order();
  if (std::ranges::is_sorted(order)) return;
  std::vector<Index> place(order.size());
  std::vector<Group> list;
  list.reserve(order.size());
  for (Index g : order) {
    place[g] = static_cast<Index>(list.size());
    list.push_back(std::move(groups.list[g]));
  }
  groups.list = std::move(list);
  for (Index& of : groups.of)
    if (of != kNoIndex) of = place[of];
}

}  // namespace autoray::codegen
