// A layered drawing of a directed graph, after Sugiyama, Tagawa and Toda (1981): layers by longest path, order within layers by
// barycentres, coordinates by least squares under the order. SVG and the page draw what comes out of it, nodes and groups
// alike.
//
// Work is linear in nodes + edges, whatever the graph: sweeps are a fixed number; sorting is by buckets; a row's coordinates
// are one isotonic regression (pool adjacent violators); and an edge over many layers has bends only while all bends together
// stay within a multiple of nodes + edges - the longest edges go straight, behind the nodes. `Layout::steps` counts the work.
#pragma once

#include <cstdint>
#include <vector>

namespace autoray::ir::picture {

using Index = std::uint32_t;

struct Edge {
  Index from = 0, to = 0;
};
struct Point {
  float x = 0, y = 0;
};

// Boxes and edges. Most edges go from a lower number to a higher one (an order in which inputs come first); the others are
// drawn against the flow, and from a node to itself not at all.
struct Digraph {
  std::vector<float> width, height;
  std::vector<Edge> edges;
};

struct LayoutOptions {
  float column_gap = 20;
  float row_gap = 28;
  int sweeps = 8;
};

struct Layout {
  std::vector<Point> centre;      // by node
  std::vector<Index> row;         // by node, from the top
  std::vector<Index> first_bend;  // by edge, one more than edges: its run in `bends`, in the edge's direction
  std::vector<Point> bends;
  std::vector<Index> bend_row;  // by bend
  Index rows = 0;
  float width = 0, height = 0;  // everything lies within (0, 0) and this
  std::uint64_t steps = 0;      // visits of nodes and edges
};

Layout lay_out(const Digraph& graph, const LayoutOptions& options = {});

}  // namespace autoray::ir::picture
