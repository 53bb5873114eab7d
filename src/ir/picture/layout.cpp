#include "ir/picture/layout.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

namespace autoray::ir::picture {
namespace {

constexpr float kBendWidth = 6;
constexpr std::size_t kBendsAnEdge = 3;        // bends at most, a node and edge on average
constexpr std::size_t kCountCrossings = 4000;  // graphs up to this many items keep the best of all sweeps

// Adjacency in one array: neighbours of i are list[first[i] .. first[i + 1]].
struct Adjacency {
  std::vector<Index> first, list;
  std::span<const Index> of(Index i) const { return {list.data() + first[i], first[i + 1] - first[i]}; }
};
template <class From, class To>
Adjacency adjacency(std::size_t nodes, const std::vector<Edge>& edges, From from, To to) {
  Adjacency a;
  a.first.assign(nodes + 1, 0);
  a.list.resize(edges.size());
  for (const Edge& e : edges) ++a.first[from(e) + 1];
  for (std::size_t i = 0; i < nodes; ++i) a.first[i + 1] += a.first[i];
  std::vector<Index> next(a.first.begin(), a.first.end() - 1);
  for (const Edge& e : edges) a.list[next[from(e)]++] = to(e);
  return a;
}

// Nodes and the bends of edges are items; a segment leads from an item to one in a later layer.
class Layering {
 public:
  Layering(const Digraph& g, const LayoutOptions& o) : graph(g), options(o), nodes(g.width.size()) {}

  Layout run() {
    Layout result;
    orient();
    find_layers();
    add_bends();
    order_layers();
    make_rows();
    place();
    finish(result);
    return result;
  }

 private:
  // Every edge from the lower number to the higher.
  void orient() {
    forward.reserve(graph.edges.size());
    for (const Edge& e : graph.edges) {
      ++steps;
      if (e.from != e.to) forward.push_back({std::min(e.from, e.to), std::max(e.from, e.to)});
    }
    above = adjacency(nodes, forward, [](const Edge& e) { return e.to; }, [](const Edge& e) { return e.from; });
    below = adjacency(nodes, forward, [](const Edge& e) { return e.from; }, [](const Edge& e) { return e.to; });
  }

  void find_layers() {
    layer.assign(nodes, 0);
    for (Index i = 0; i < nodes; ++i)
      for (Index input : above.of(i)) {
        ++steps;
        layer[i] = std::max(layer[i], layer[input] + 1);
      }
    // What more edges leave than enter stands directly above its first user: fewer long edges.
    for (Index i = static_cast<Index>(nodes); i-- > 0;) {
      auto users = below.of(i);
      ++steps;
      if (users.empty() || (users.size() <= above.of(i).size() && !above.of(i).empty())) continue;
      Index first = layer[users[0]];
      for (Index user : users) {
        ++steps;
        first = std::min(first, layer[user]);
      }
      layer[i] = first - 1;
    }
    layers = 0;
    for (Index l : layer) layers = std::max(layers, l + 1);
  }

  void add_bends() {
    item_layer = layer;
    // The longest span whose edges, with all shorter ones, have bends within the budget.
    std::vector<std::size_t> of_span(layers + 1, 0);
    for (const Edge& e : forward) ++of_span[layer[e.to] - layer[e.from]];
    std::size_t budget = kBendsAnEdge * (nodes + forward.size()) + 64, used = 0, longest = 1;
    for (std::size_t span = 2; span <= layers; ++span) {
      used += of_span[span] * (span - 1);
      if (used > budget) break;
      longest = span;
    }
    first_item.reserve(forward.size());
    for (const Edge& e : forward) {
      ++steps;
      Index span = layer[e.to] - layer[e.from];
      first_item.push_back(static_cast<Index>(item_layer.size()));
      Index previous = e.from;
      for (Index k = 1; span <= longest && k < span; ++k) {
        auto bend = static_cast<Index>(item_layer.size());
        item_layer.push_back(layer[e.from] + k);
        segments.push_back({previous, bend});
        previous = bend;
        ++steps;
      }
      segments.push_back({previous, e.to});
    }
    up = adjacency(item_layer.size(), segments, [](const Edge& e) { return e.to; }, [](const Edge& e) { return e.from; });
    down = adjacency(item_layer.size(), segments, [](const Edge& e) { return e.from; }, [](const Edge& e) { return e.to; });
  }

  void order_layers() {
    order.assign(layers, {});
    // As a walk from the results upwards meets them: what is used together starts together.
    std::vector<bool> met(item_layer.size());
    std::vector<Index> stack;
    auto visit = [&](Index root) {
      if (met[root]) return;
      stack.push_back(root);
      met[root] = true;
      while (!stack.empty()) {
        Index i = stack.back();
        stack.pop_back();
        order[item_layer[i]].push_back(i);
        auto inputs = up.of(i);
        for (std::size_t k = inputs.size(); k-- > 0;) {
          ++steps;
          if (!met[inputs[k]]) stack.push_back(inputs[k]);
          met[inputs[k]] = true;
        }
      }
    };
    for (Index i = 0; i < nodes; ++i)
      if (below.of(i).empty()) visit(i);
    for (Index i = 0; i < item_layer.size(); ++i) visit(i);
    position.assign(item_layer.size(), 0);
    for (auto& items : order) set_positions(items);
    const bool choose = item_layer.size() <= kCountCrossings;
    std::vector<std::vector<Index>> best = order;
    std::uint64_t fewest = choose ? crossings() : 0;
    for (int sweep = 0; sweep < options.sweeps; ++sweep) {
      if (sweep % 2 == 0)
        for (Index l = 1; l < layers; ++l) sort_layer(order[l], up);
      else
        for (Index l = layers; l-- > 0;) sort_layer(order[l], down);
      if (!choose) continue;
      std::uint64_t now = crossings();
      if (now < fewest) {
        fewest = now;
        best = order;
      }
    }
    if (!choose) return;
    order = std::move(best);
    for (auto& items : order) set_positions(items);
  }

  void set_positions(const std::vector<Index>& items) {
    const float middle = static_cast<float>(items.size()) / 2;
    for (std::size_t k = 0; k < items.size(); ++k) position[items[k]] = static_cast<float>(k) - middle;
    steps += items.size();
  }

  // By the mean position of the neighbours on one side; items without any stay where they are. Equal buckets keep their order.
  void sort_layer(std::vector<Index>& items, const Adjacency& side) {
    keys.clear();
    for (Index i : items) {
      float sum = 0;
      auto neighbours = side.of(i);
      for (Index n : neighbours) sum += position[n];
      keys.push_back(neighbours.empty() ? position[i] : sum / static_cast<float>(neighbours.size()));
      steps += 1 + neighbours.size();
    }
    auto [low, high] = std::minmax_element(keys.begin(), keys.end());
    const float base = keys.empty() ? 0 : *low, width = keys.empty() ? 0 : *high - *low;
    if (!(width > 0)) return;
    const std::size_t buckets = 16 * items.size();
    counts.assign(buckets + 1, 0);
    auto bucket = [&](std::size_t k) {
      return static_cast<std::size_t>((keys[k] - base) / width * static_cast<float>(buckets - 1));
    };
    for (std::size_t k = 0; k < items.size(); ++k) ++counts[bucket(k) + 1];
    for (std::size_t b = 0; b < buckets; ++b) counts[b + 1] += counts[b];
    sorted.resize(items.size());
    for (std::size_t k = 0; k < items.size(); ++k) sorted[counts[bucket(k)]++] = items[k];
    items = sorted;
    set_positions(items);
  }

  // Of segments between neighbouring layers, with a Fenwick tree.
  std::uint64_t crossings() {
    std::uint64_t total = 0;
    std::vector<Index> tree, ends;
    for (Index l = 0; l + 1 < layers; ++l) {
      tree.assign(order[l + 1].size() + 1, 0);
      const float middle = static_cast<float>(order[l + 1].size()) / 2;
      std::uint64_t seen = 0;
      for (Index i : order[l]) {
        ends.clear();
        for (Index to : down.of(i))
          if (item_layer[to] == l + 1) ends.push_back(static_cast<Index>(position[to] + middle));
        for (Index end : ends) {
          std::uint64_t left = 0;  // of those before, how many end at or left of this one
          for (Index k = end + 1; k > 0; k &= k - 1) left += tree[k];
          total += seen - left;
        }
        for (Index end : ends)
          for (Index k = end + 1; k < tree.size(); k += k & (~k + 1)) ++tree[k];
        seen += ends.size();
        steps += 1 + ends.size();
      }
    }
    return total;
  }

  // A layer that is much wider than the drawing should be becomes several rows: its nodes have no edges among themselves.
  // Neighbours go to different rows, so that each stays below what it belongs to.
  void make_rows() {
    const auto most = static_cast<std::size_t>(std::max(24.0, 1.6 * std::sqrt(static_cast<double>(nodes))));
    row_of.assign(item_layer.size(), 0);
    for (auto& items : order) {
      std::size_t count = 0;
      for (Index i : items) count += i < nodes;
      std::size_t parts = std::max<std::size_t>(1, (count + most - 1) / most);
      std::size_t first = rows.size(), k = 0;
      rows.resize(first + parts);
      for (Index i : items) {
        std::size_t row = first + (i < nodes ? k++ % parts : 0);
        row_of[i] = static_cast<Index>(row);
        rows[row].push_back(i);
        ++steps;
      }
    }
  }

  float width_of(Index i) const { return i < nodes ? graph.width[i] : kBendWidth; }

  void place() {
    x.assign(item_layer.size(), 0);
    for (auto& items : rows) {
      float at = 0;
      for (Index i : items) {
        x[i] = at + width_of(i) / 2;
        at += width_of(i) + options.column_gap;
        ++steps;
      }
      for (Index i : items) x[i] -= at / 2;
    }
    for (int sweep = 0; sweep < options.sweeps; ++sweep) {
      if (sweep % 2 == 0)
        for (std::size_t r = 0; r < rows.size(); ++r) place_row(rows[r], up, r);
      else
        for (std::size_t r = rows.size(); r-- > 0;) place_row(rows[r], down, r);
    }
    for (std::size_t r = 0; r < rows.size(); ++r) place_row(rows[r], up, r, &down);
  }

  // The coordinates of a row that are nearest to where its neighbours would have each item, with room between them.
  void place_row(const std::vector<Index>& items, const Adjacency& side, std::size_t row, const Adjacency* other = nullptr) {
    static constexpr float kStraight = 8;  // bends prefer a straight line to their items' wishes
    pools.clear();
    float offset = 0;
    offsets.clear();
    for (std::size_t k = 0; k < items.size(); ++k) {
      Index i = items[k];
      if (k) offset += (width_of(items[k - 1]) + width_of(i)) / 2 + options.column_gap;
      offsets.push_back(offset);
      float sum = 0, weight = 0;
      auto add = [&](const Adjacency& a) {
        for (Index n : a.of(i)) {
          // A long edge without bends pulls little.
          Index distance = row_of[n] > row ? row_of[n] - static_cast<Index>(row) : static_cast<Index>(row) - row_of[n];
          float w = (i >= nodes && n >= nodes ? kStraight : 1) / static_cast<float>(std::max<Index>(1, distance));
          sum += w * x[n];
          weight += w;
        }
        steps += a.of(i).size();
      };
      add(side);
      if (other) add(*other);
      if (weight == 0) {
        weight = 0.02f;
        sum = weight * x[i];
      }
      double wish = sum / weight - offset;
      pools.push_back({wish * weight, weight, 1});
      while (pools.size() > 1) {
        auto& last = pools[pools.size() - 1];
        auto& before = pools[pools.size() - 2];
        if (before.sum / before.weight <= last.sum / last.weight) break;
        before.sum += last.sum;
        before.weight += last.weight;
        before.count += last.count;
        pools.pop_back();
        ++steps;
      }
      ++steps;
    }
    std::size_t k = 0;
    for (const auto& run : pools)
      for (std::size_t c = 0; c < run.count; ++c, ++k) x[items[k]] = static_cast<float>(run.sum / run.weight) + offsets[k];
  }

  void finish(Layout& result) {
    std::vector<float> y(rows.size());
    float at = 0;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      float tallest = 0;
      for (Index i : rows[r])
        if (i < nodes) tallest = std::max(tallest, graph.height[i]);
      if (at > 0 && !rows[r].empty()) at += options.row_gap;
      y[r] = at + tallest / 2;
      at += tallest;
    }
    float left = 0, right = 0;
    for (Index i = 0; i < item_layer.size(); ++i) {
      float half = width_of(i) / 2;
      left = i ? std::min(left, x[i] - half) : x[i] - half;
      right = i ? std::max(right, x[i] + half) : x[i] + half;
      ++steps;
    }
    result.width = right - left;
    result.height = at;
    result.rows = static_cast<Index>(rows.size());
    result.centre.reserve(nodes);
    result.row.assign(row_of.begin(), row_of.begin() + static_cast<std::ptrdiff_t>(nodes));
    for (Index i = 0; i < nodes; ++i) result.centre.push_back({x[i] - left, y[row_of[i]]});
    result.first_bend.push_back(0);
    std::size_t f = 0;
    for (const Edge& e : graph.edges) {
      if (e.from != e.to) {
        Index begin = first_item[f],
              end = f + 1 < first_item.size() ? first_item[f + 1] : static_cast<Index>(item_layer.size());
        for (Index k = begin; k < end; ++k) {
          Index item = e.from < e.to ? k : end - 1 - (k - begin);
          result.bends.push_back({x[item] - left, y[row_of[item]]});
          result.bend_row.push_back(row_of[item]);
        }
        ++f;
      }
      result.first_bend.push_back(static_cast<Index>(result.bends.size()));
      ++steps;
    }
    result.steps = steps;
  }

  struct Pool {
    double sum, weight;
    std::size_t count;
  };

  const Digraph& graph;
  const LayoutOptions& options;
  const std::size_t nodes;
  std::uint64_t steps = 0;
  Index layers = 0;
  std::vector<Edge> forward, segments;
  Adjacency above, below;  // of nodes
  Adjacency up, down;      // of items
  std::vector<Index> layer, item_layer, first_item, row_of;
  std::vector<std::vector<Index>> order, rows;
  std::vector<float> position, x;
  // Room that every row uses again.
  std::vector<float> keys, offsets;
  std::vector<std::size_t> counts;
  std::vector<Index> sorted;
  std::vector<Pool> pools;
};

}  // namespace

Layout lay_out(const Digraph& graph, const LayoutOptions& options) {
  Layout empty;
  if (graph.width.empty()) {
    empty.first_bend.assign(graph.edges.size() + 1, 0);
    return empty;
  }
  return Layering(graph, options).run();
}

}  // namespace autoray::ir::picture
