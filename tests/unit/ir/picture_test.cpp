// Pictures: the layout's geometry and the work that it takes; writers on empty, one-node, wide, deep and large graphs.
#include "ir/picture/picture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "ir/picture/chart.h"
#include "ir/picture/write.h"

namespace autoray::ir::picture {
namespace {

// A block written by hand: variables and calls of float64 vectors, each call on a line of a script.
class Script {
 public:
  explicit Script(std::int64_t size = 5) : block(tables) {
    vector = tables.types.intern(Type{DType::Float64, Kind::Array, Dims{size}});
    file = tables.names.intern("script.ar");
    function = tables.names.intern("f");
    tables.sources.keep_text(file, "def f(x):\n    y = x + x\n    z = -y\n    return z\n");
  }
  Index variable() {
    BlockNode node;
    node.kind = NodeKind::Variable;
    node.types = vector;
    node.number = static_cast<Index>(block.arguments.size());
    block.arguments.push_back(static_cast<Index>(block.nodes.size()));
    return block.add(node, {});
  }
  Index call(OpId op, std::vector<Index> inputs, std::uint32_t line) {
    BlockNode node;
    node.op = op;
    node.types = vector;
    node.attrs = tables.attrs.intern({});
    node.source = tables.sources.intern({file, function, line, 5, kNoSource});
    return block.add(node, inputs);
  }
  Index add(Index x, Index y, std::uint32_t line = 2) { return call(OpId::Add, {x, y}, line); }
  Index negative(Index x, std::uint32_t line = 3) { return call(OpId::Negative, {x}, line); }
  Picture picture() const { return Picture(block, {"f", "recorded", {}}); }

  GraphTables tables;
  Block block;
  TypesId vector;
  NameId file, function;
};

// The graph of modified Gram-Schmidt on n rows, without its arithmetic: (n + 1)^2 + n nodes or so, and edges of every length.
void gram_schmidt(Script& s, int n) {
  Index x = s.variable();
  std::vector<Index> done;
  for (int j = 0; j < n; ++j) {
    Index q = s.negative(x, 2);
    for (Index other : done) {
      Index product = s.add(s.negative(other, 3), q, 3);
      q = s.add(q, s.add(product, other, 3), 4);
    }
    done.push_back(s.add(q, q, 5));
  }
  s.block.results.push_back(s.call(OpId::Add, {done.back(), done.front()}, 6));
}

Digraph boxes(std::size_t count, std::vector<Edge> edges) {
  Digraph g;
  g.width.assign(count, 60);
  g.height.assign(count, 30);
  g.edges = std::move(edges);
  return g;
}

void expect_apart(const Digraph& g, const Layout& layout) {
  ASSERT_EQ(layout.centre.size(), g.width.size());
  std::vector<Index> order(g.width.size());
  for (Index i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](Index a, Index b) {
    return layout.row[a] != layout.row[b] ? layout.row[a] < layout.row[b] : layout.centre[a].x < layout.centre[b].x;
  });
  for (std::size_t k = 0; k < order.size(); ++k) {
    Index i = order[k];
    EXPECT_GE(layout.centre[i].x - g.width[i] / 2, -0.5f);
    EXPECT_LE(layout.centre[i].x + g.width[i] / 2, layout.width + 0.5f);
    EXPECT_LE(layout.centre[i].y + g.height[i] / 2, layout.height + 0.5f);
    if (k == 0 || layout.row[order[k - 1]] != layout.row[i]) continue;
    Index left = order[k - 1];
    EXPECT_GE(layout.centre[i].x - layout.centre[left].x, (g.width[i] + g.width[left]) / 2) << left << " and " << i;
  }
}

TEST(Layout, NothingAndOne) {
  EXPECT_TRUE(lay_out(Digraph{}).centre.empty());
  Layout one = lay_out(boxes(1, {}));
  ASSERT_EQ(one.centre.size(), 1u);
  EXPECT_FLOAT_EQ(one.width, 60);
  EXPECT_FLOAT_EQ(one.height, 30);
}

TEST(Layout, EdgesGoDownAndBoxesStandApart) {
  Digraph g = boxes(7, {{0, 1}, {0, 2}, {1, 3}, {2, 3}, {3, 5}, {0, 5}, {4, 5}, {5, 6}});
  Layout layout = lay_out(g);
  expect_apart(g, layout);
  for (const Edge& e : g.edges) EXPECT_LT(layout.centre[e.from].y, layout.centre[e.to].y);
  // What is used late stands above its user, not at the top.
  EXPECT_EQ(layout.row[4] + 1, layout.row[5]);
}

TEST(Layout, StraightChain) {
  Layout layout = lay_out(boxes(4, {{0, 1}, {1, 2}, {2, 3}}));
  for (const Point& p : layout.centre) EXPECT_FLOAT_EQ(p.x, layout.centre[0].x);
}

TEST(Layout, TwoCrossedPairsAreUncrossed) {
  // 0 -> 3 and 1 -> 2: in the order of their numbers the edges would cross.
  Layout layout = lay_out(boxes(4, {{0, 3}, {1, 2}}));
  EXPECT_EQ(layout.centre[0].x < layout.centre[1].x, layout.centre[3].x < layout.centre[2].x);
}

TEST(Layout, BackwardAndOwnEdges) {
  Digraph g = boxes(3, {{0, 1}, {1, 0}, {1, 1}, {2, 0}, {1, 2}});
  Layout layout = lay_out(g);
  expect_apart(g, layout);
  EXPECT_EQ(layout.first_bend.size(), g.edges.size() + 1);
}

TEST(Layout, LongEdgesBendAroundNodes) {
  Digraph g = boxes(4, {{0, 1}, {1, 2}, {2, 3}, {0, 3}});
  Layout layout = lay_out(g);
  EXPECT_EQ(layout.first_bend[4] - layout.first_bend[3], 2u);
  EXPECT_NE(layout.bends[layout.first_bend[3]].x, layout.centre[1].x);
  EXPECT_LT(layout.bends[layout.first_bend[3]].y, layout.bends[layout.first_bend[3] + 1].y);
}

TEST(Layout, WideLayersBecomeRows) {
  std::vector<Edge> edges;
  for (Index i = 1; i < 4000; ++i) edges.push_back({0, i});
  Digraph g = boxes(4000, edges);
  Layout layout = lay_out(g);
  expect_apart(g, layout);
  EXPECT_LT(layout.width, 40 * layout.height);
  EXPECT_GT(layout.rows, 20u);
}

// Visits of nodes and edges, for graphs whose edges are short, long, or all at one node.
TEST(Layout, WorkIsLinear) {
  auto chain = [](Index n) {
    std::vector<Edge> edges;
    for (Index i = 1; i < n; ++i) edges.push_back({i - 1, i});
    return boxes(n, edges);
  };
  auto star = [](Index n) {
    std::vector<Edge> edges;
    for (Index i = 1; i < n; ++i) edges.push_back({0, i});
    return boxes(n, edges);
  };
  auto ladder = [](Index n) {  // every node also uses the first: edges of every length
    std::vector<Edge> edges;
    for (Index i = 1; i < n; ++i) {
      edges.push_back({i - 1, i});
      edges.push_back({0, i});
    }
    return boxes(n, edges);
  };
  auto tree = [](Index n) {
    std::vector<Edge> edges;
    for (Index i = 1; i < n; ++i) edges.push_back({n - 1 - i, n - 1 - (i - 1) / 2});
    return boxes(n, edges);
  };
  auto measure = [](const Digraph& g) {
    return static_cast<double>(lay_out(g).steps) / static_cast<double>(g.width.size() + g.edges.size());
  };
  EXPECT_NEAR(measure(chain(200000)) / measure(chain(20000)), 1, 0.2);
  EXPECT_NEAR(measure(star(200000)) / measure(star(20000)), 1, 0.2);
  EXPECT_NEAR(measure(ladder(200000)) / measure(ladder(20000)), 1, 0.2);
  EXPECT_NEAR(measure(tree(200000)) / measure(tree(20000)), 1, 0.2);
  for (const Digraph& g : {chain(50000), star(50000), ladder(50000), tree(50000)}) EXPECT_LT(measure(g), 200);
}

TEST(Layout, GramSchmidtIsLinear) {
  double before = 0;
  for (int n : {20, 40, 80}) {
    Script s;
    gram_schmidt(s, n);
    Digraph g = node_graph(s.picture());
    Layout layout = lay_out(g);
    double now = static_cast<double>(layout.steps) / static_cast<double>(g.width.size() + g.edges.size());
    if (before > 0) {
      EXPECT_LT(now, 1.3 * before) << n;
    }
    before = now;
  }
}

TEST(Picture, FiguresOfNodes) {
  Script s(1000);
  Index x = s.variable(), y = s.add(x, x), z = s.negative(y);
  s.block.results.push_back(z);
  Picture p = s.picture();
  ASSERT_EQ(p.size(), 3u);
  EXPECT_EQ(p.kind(0), "variable");
  EXPECT_EQ(p.expression(1), "add(variable, variable)");
  EXPECT_EQ(p.type(2), "float64[1000]");
  EXPECT_EQ(p.bytes(1), 8000);
  EXPECT_EQ(p.flops[1], 1000);
  EXPECT_EQ(p.total_flops, 2000);
  EXPECT_TRUE(p.is_result(2));
  EXPECT_FALSE(p.is_result(1));
  EXPECT_EQ(p.heat(1, Colouring::Flops), 1);
  EXPECT_EQ(p.heat(0, Colouring::Flops), 0);
  EXPECT_EQ(p.peak_bytes, *std::max_element(p.alive.begin(), p.alive.end()));
}

TEST(Picture, Groups) {
  Script s;
  gram_schmidt(s, 4);
  Picture p = s.picture();
  std::vector<Group> lines = p.groups(Grouping::Line);
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_EQ(lines[0].title, "inputs");
  EXPECT_EQ(lines[1].title, "script.ar:2");
  EXPECT_EQ(lines[1].detail, "y = x + x");
  EXPECT_EQ(lines[1].nodes.size(), 4u);
  std::size_t nodes = 0;
  for (const Group& g : lines) nodes += g.nodes.size();
  EXPECT_EQ(nodes, p.size());
  std::vector<Group> functions = p.groups(Grouping::Function);
  ASSERT_EQ(functions.size(), 2u);
  EXPECT_EQ(functions[1].title, "f");
  EXPECT_EQ(functions[1].detail, "script.ar");
  std::vector<Group> operations = p.groups(Grouping::Operation);
  EXPECT_EQ(operations.size(), 3u);
  Quotient q = quotient_graph(p, lines);
  std::size_t edges = 0, inside = 0;
  for (std::uint32_t c : q.count) edges += c;
  for (std::size_t i = 0; i < p.size(); ++i) inside += p.inputs(i).size();
  EXPECT_LT(edges, inside);
  EXPECT_GT(edges, 0u);
}

TEST(Picture, MergedNodesKeepAllSources) {
  Script s;
  Index x = s.variable(), y = s.negative(x, 2);
  s.block.merged_sources.emplace_back(y, s.tables.sources.intern({s.file, s.function, 3, 1, kNoSource}));
  s.block.results.push_back(y);
  EXPECT_EQ(s.picture().sources(1).size(), 2u);
}

TEST(Picture, EmptyAndOneNodeAreDrawn) {
  for (int nodes : {0, 1}) {
    Script s;
    if (nodes) s.block.results.push_back(s.variable());
    Picture p = s.picture();
    EXPECT_NE(to_svg(p).find("</svg>"), std::string::npos);
    EXPECT_EQ(to_dot(p).find("n0 ["), nodes ? to_dot(p).find("  n0 [") + 2 : std::string::npos);
    EXPECT_NE(to_json(p).find("\"nodes\": ["), std::string::npos);
    EXPECT_FALSE(to_text(p).empty());
    EXPECT_FALSE(to_table(p).empty());
    const Picture* stages[] = {&p};
    EXPECT_NE(to_html(stages).find("</html>"), std::string::npos);
  }
}

TEST(Picture, LargeGraphsAreGrouped) {
  Script s;
  Index x = s.variable();
  for (int i = 0; i < 200000; ++i) x = i % 2 ? s.negative(x) : s.add(x, x);
  s.block.results.push_back(x);
  Picture p = s.picture();
  // Whole as DOT and JSON; by lines, with a notice, as SVG and as a page.
  std::string dot = to_dot(p);
  EXPECT_NE(dot.find("  n200000 ["), std::string::npos);
  std::string json = to_json(p);
  EXPECT_GT(std::count(json.begin(), json.end(), '{'), 200000);
  std::string svg = to_svg(p);
  EXPECT_LT(svg.size(), 10000u);
  EXPECT_NE(svg.find("drawn by source lines"), std::string::npos);
  const Picture* stages[] = {&p};
  std::string page = to_html(stages);
  EXPECT_LT(page.size(), 300000u);
  EXPECT_NE(page.find("this page shows groups alone"), std::string::npos);
}

TEST(Picture, SameBytesTwice) {
  auto all = [] {
    Script s;
    gram_schmidt(s, 12);
    Picture p = s.picture();
    const Picture* stages[] = {&p};
    return to_dot(p) + to_svg(p) + to_json(p) + to_text(p) + to_html(stages) + to_table(p);
  };
  EXPECT_EQ(all(), all());
}

TEST(Picture, TextOfScriptsIsEscaped) {
  Script s;
  s.tables.sources.keep_text(s.tables.names.intern("a.ar"), "</script><b>\"\\");
  Index x = s.variable();
  BlockNode node;
  node.op = OpId::Negative;
  node.types = s.vector;
  node.attrs = s.tables.attrs.intern({});
  node.source = s.tables.sources.intern({s.tables.names.intern("a.ar"), s.function, 1, 1, kNoSource});
  Index of[] = {x};
  s.block.results.push_back(s.block.add(node, of));
  Picture p(s.block, {"</title>&\"", "recorded", {}});
  const Picture* stages[] = {&p};
  std::string page = to_html(stages);
  EXPECT_EQ(page.find("</script><b>"), std::string::npos);
  EXPECT_EQ(to_svg(p).find("</title>&\""), std::string::npos);
  EXPECT_NE(to_dot(p).find("\\\""), std::string::npos);
}

TEST(Charts, AreWhole) {
  Series series;
  series.title = "a < b";
  series.values = {1, 5, 2};
  EXPECT_NE(series_svg(series).find("a &lt; b"), std::string::npos);
  series.values.assign(100000, 3);
  EXPECT_LT(series_svg(series).size(), 200000u);
  EXPECT_NE(series_svg(Series()).find("</svg>"), std::string::npos);
  EXPECT_NE(bars_svg("by function", {{"mul", "#ff0000", 3}, {"add", "#00ff00", 0}}).find("mul"), std::string::npos);
}

}  // namespace
}  // namespace autoray::ir::picture
