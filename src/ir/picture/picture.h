// A block as something to look at: its nodes with what a reader wants to know of each (cost, memory, the line that made it),
// and its groups. Every writer - DOT, SVG, the page, JSON, text - is a function of a Picture, so that names and figures agree,
// and two runs write the same bytes. A picture costs a visit a node and edge, and refers to its block.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph/block.h"

namespace autoray::ir::picture {

// What a picture's nodes are put together by. Operations stand for kernels until plans have those.
enum class Grouping { Line, Function, Operation };
inline constexpr std::array kGroupings = {Grouping::Line, Grouping::Function, Grouping::Operation};
std::string_view name(Grouping grouping);

enum class Colouring { Operation, Flops, Bytes, Live };
std::optional<Colouring> find_colouring(std::string_view name);  // "operation", "flops", "bytes", "memory"

struct Group {
  std::string title;   // "gram_schmidt.ar:19"
  std::string detail;  // the line's text; the function's file
  std::vector<Index> nodes;
  double flops = 0;
  std::int64_t bytes = 0;
};

struct PictureOptions {
  std::string title;  // "modified_gram_schmidt"
  std::string stage = "recorded";
  // The text of a constant scalar by argument number; empty: it is called by its name.
  std::function<std::string(Index argument)> literal;
};

// Nodes are numbered as they are drawn: hidden ones (scalars, captured arrays, generators' states) have no number and are parts
// of their users' text.
class Picture {
 public:
  Picture(const Block& block, PictureOptions options);

  std::size_t size() const { return drawn.size(); }
  // Of a drawn node.
  const BlockNode& node(std::size_t i) const { return block.nodes[drawn[i]]; }
  std::string_view label(std::size_t i) const { return block.label(drawn[i]); }
  std::string_view kind(std::size_t i) const;
  std::string expression(std::size_t i) const;  // "tensordot(q, X, axes=1)"
  std::string type(std::size_t i) const;        // "float64[5,5]", as the command line spells it
  std::int64_t bytes(std::size_t i) const { return byte_count(block, drawn[i]); }
  std::span<const Index> inputs(std::size_t i) const { return {edges.data() + first[i], first[i + 1] - first[i]}; }
  std::vector<SourceId> sources(std::size_t i) const;
  bool is_result(std::size_t i) const { return result[i]; }

  // All nodes, by what they have in common: inputs first, lines in the order of their files, others in that of their first
  // nodes.
  std::vector<Group> groups(Grouping grouping) const;
  // 0 to 1 on a logarithmic scale; 0 for all by operation.
  float heat(std::size_t i, Colouring by) const;

  const Block& block;
  PictureOptions options;
  std::vector<Index> drawn;         // block's index by number
  std::vector<Index> number;        // and back; kNoIndex: hidden
  std::vector<std::string> names;   // by block's index
  std::vector<Index> first, edges;  // inputs as numbers
  std::vector<double> flops, traffic;
  std::vector<std::int64_t> alive;  // bytes after the node was computed
  std::vector<bool> result;

  // Of the whole.
  double total_flops = 0, total_traffic = 0;
  std::int64_t total_bytes = 0, peak_bytes = 0;

 private:
  std::vector<std::pair<Index, SourceId>> merged_;  // sorted by node
  double most_flops_ = 0, most_bytes_ = 0;
};

std::string type_text(const Type& type);
std::string label_colour(std::string_view label, NodeKind kind, OpId op);  // "#a1b2c3"
std::string heat_colour(float heat);
std::string number_text(double value);  // whole numbers without an exponent

// ---- writers ----

// The graphs of more nodes than this are drawn as SVG by their lines, with a notice.
inline constexpr std::size_t kWholeSvg = 2500;
// And of more than this the page holds lines alone.
inline constexpr std::size_t kWholePage = 60000;
// More nodes than this open grouped.
inline constexpr std::size_t kOpenWhole = 300;

struct Style {
  Colouring colouring = Colouring::Operation;
  bool labels = true;
  // By label, before our own: what a script asks for.
  std::vector<std::pair<std::string, std::string>> colours;
};

std::string to_dot(const Picture& picture, const Style& style = {});
std::string to_svg(const Picture& picture, const Style& style = {});
std::string to_json(const Picture& picture);
std::string to_text(const Picture& picture);
// Totals, operations and the most expensive nodes.
std::string to_table(const Picture& picture);
std::string to_table_json(const Picture& picture);
// One page of stages: the graph as recorded, and after the passes.
std::string to_html(std::span<const Picture* const> stages, const Style& style = {});

}  // namespace autoray::ir::picture
