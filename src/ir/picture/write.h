// What the writers share: escaping, sizes of boxes by their text, quotient graphs of groups.
#pragma once

#include <string>
#include <string_view>

#include "ir/picture/layout.h"
#include "ir/picture/picture.h"

namespace autoray::ir::picture {

// Quoted and escaped. `<` is escaped too: the text may stand in a page's script element.
std::string json_text(std::string_view text);
std::string xml_text(std::string_view text);
std::string dot_text(std::string_view text);                        // quoted
std::string short_number(double value);                             // "1.2k", "35M"
std::string byte_text(double bytes);                                // "1.5 KiB"
std::string grouped_number(std::uint64_t value);                    // "20,102"
std::string counted(std::uint64_t count, const std::string& noun);  // "20,102 nodes", "1 node"
// "57 nodes, 605 FLOPs, 1.5 KiB made, peak 920 B"
std::string totals_text(const Picture& picture);

// Boxes are as wide as their text in a fixed-width face: 0.6 of its size a character.
inline constexpr float kTitleSize = 12, kDetailSize = 10, kBoxPadding = 9;
float text_width(std::string_view text, float size);
struct Box {
  float width, height;
};
Box node_box(const Picture& picture, std::size_t node);
Box group_box(const Picture& picture, const Group& group);
std::string node_detail(const Picture& picture, std::size_t node);     // "rij: float64[5]"
std::string group_detail(const Picture& picture, const Group& group);  // "4,950 tensordot, 4,950 conjugate"
std::string shorten(std::string text, std::size_t characters);

// The graph as JSON; without nodes (and stacks) where a page holds groups alone.
std::string graph_json(const Picture& picture, bool whole);

Digraph node_graph(const Picture& picture);
// The nodes of one group, numbered within it; edges that leave it are left out.
Digraph inner_graph(const Picture& picture, const Group& group, std::vector<Index>& place);
// Groups and how many edges lead from one to another.
struct Quotient {
  Digraph graph;
  std::vector<std::uint32_t> count;  // by edge
};
Quotient quotient_graph(const Picture& picture, const std::vector<Group>& groups);

}  // namespace autoray::ir::picture
