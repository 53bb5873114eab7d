// The page: the graphs as JSON, their layouts for every grouping, and the template of page/ around them.
#include <algorithm>
#include <cmath>
#include <map>

#include "ir/picture/write.h"

namespace autoray::ir::picture {

// page/page.html, page.css and page.js, put into the program when it is built.
extern const char* const kPageHtml;
extern const char* const kPageStyle;
extern const char* const kPageScript;

namespace {

constexpr std::size_t kStripPoints = 4000;  // of the memory curve: more than a screen shows

std::string whole(float value) { return std::to_string(std::lround(value)); }

std::string points(const std::vector<Point>& list) {
  std::string out = "[";
  for (std::size_t i = 0; i < list.size(); ++i) out += (i ? "," : "") + whole(list[i].x) + "," + whole(list[i].y);
  return out + "]";
}

std::string flat_json(const Picture& p) {
  Digraph graph = node_graph(p);
  Layout layout = lay_out(graph);
  std::string out =
      "{\"w\":" + whole(layout.width) + ",\"h\":" + whole(layout.height) + ",\"at\":" + points(layout.centre) + ",\"bends\":{";
  bool some = false;
  for (std::size_t e = 0; e < graph.edges.size(); ++e) {
    std::vector<Point> bends(layout.bends.begin() + layout.first_bend[e], layout.bends.begin() + layout.first_bend[e + 1]);
    if (bends.empty()) continue;
    out += (some ? ",\"" : "\"") + std::to_string(e) + "\":" + points(bends);
    some = true;
  }
  return out + "}}";
}

std::string colour_key(const Picture& p, std::size_t i) { return std::string(p.label(i) == "None" ? p.kind(i) : p.label(i)); }

// The colour of a group is that of what it has most of.
std::string main_key(const Picture& p, const Group& group) {
  std::map<std::string, std::size_t> count;
  for (Index i : group.nodes) ++count[colour_key(p, i)];
  return std::max_element(count.begin(), count.end(), [](const auto& a, const auto& b) { return a.second < b.second; })->first;
}

std::string view_json(const Picture& p, Grouping grouping, bool nodes) {
  std::vector<Group> groups = p.groups(grouping);
  Quotient quotient = quotient_graph(p, groups);
  Layout outer = lay_out(quotient.graph);
  std::vector<Index> place(p.size(), 0);
  std::string out = "{\"name\":" + json_text(name(grouping)) + ",\"groups\":[";
  for (std::size_t k = 0; k < groups.size(); ++k) {
    const Group& g = groups[k];
    std::int64_t live = 0;
    for (Index i : g.nodes) live = std::max(live, p.alive[i]);
    out += (k ? ",\n{" : "\n{") + ("\"title\":" + json_text(g.title)) + ",\"detail\":" + json_text(g.detail) +
           ",\"note\":" + json_text(group_detail(p, g)) + ",\"count\":" + std::to_string(g.nodes.size()) +
           ",\"flops\":" + number_text(g.flops) + ",\"bytes\":" + std::to_string(g.bytes) +
           ",\"live\":" + std::to_string(live) + ",\"colour\":" + json_text(main_key(p, g)) +
           ",\"x\":" + whole(outer.centre[k].x) + ",\"row\":" + std::to_string(outer.row[k]) +
           ",\"w\":" + whole(quotient.graph.width[k]) + ",\"h\":" + whole(quotient.graph.height[k]) + ",\"nodes\":[";
    for (std::size_t n = 0; nodes && n < g.nodes.size(); ++n) out += (n ? "," : "") + std::to_string(g.nodes[n]);
    out += "]";
    if (nodes) {
      Layout inner = lay_out(inner_graph(p, g, place));
      out +=
          ",\"inner\":{\"w\":" + whole(inner.width) + ",\"h\":" + whole(inner.height) + ",\"at\":" + points(inner.centre) + "}";
    }
    out += "}";
  }
  // How many edges of nodes each stands for, and its bends: x and row in turn.
  out += "],\"edges\":[";
  for (std::size_t e = 0; e < quotient.graph.edges.size(); ++e) {
    const Edge& edge = quotient.graph.edges[e];
    out += (e ? ",[" : "[") + std::to_string(edge.from) + "," + std::to_string(edge.to) + "," +
           std::to_string(quotient.count[e]) + ",[";
    for (Index b = outer.first_bend[e]; b < outer.first_bend[e + 1]; ++b)
      out += (b > outer.first_bend[e] ? "," : "") + whole(outer.bends[b].x) + "," + std::to_string(outer.bend_row[b]);
    out += "]]";
  }
  return out + "]}";
}

std::string live_json(const Picture& p) {
  // Of each run of steps the highest.
  std::size_t shown = std::min(p.size(), kStripPoints);
  std::string out = "[";
  for (std::size_t k = 0; k < shown; ++k) {
    std::int64_t most = 0;
    for (std::size_t i = k * p.size() / shown; i < (k + 1) * p.size() / shown; ++i) most = std::max(most, p.alive[i]);
    out += (k ? "," : "") + std::to_string(most);
  }
  return out + "]";
}

std::string stage_json(const Picture& p) {
  bool nodes = p.size() <= kWholePage;
  std::string notice;
  if (p.size() == 0) notice = "Nothing was recorded: the result does not depend on the arguments' elements.";
  if (!nodes)
    notice = grouped_number(p.size()) +
             " nodes: this page shows groups alone. `autoray graph -o graph.dot` and `-o graph.json` write every node.";
  std::string out = "{\"name\":" + json_text(p.options.stage) + ",\"notice\":" + json_text(notice) + ",\"widths\":[";
  for (std::size_t i = 0; nodes && i < p.size(); ++i) out += (i ? "," : "") + whole(node_box(p, i).width);
  out += "],\"live\":" + live_json(p) + ",\n\"graph\":" + graph_json(p, nodes) +
         ",\n\"flat\":" + (nodes ? flat_json(p) : "null") + ",\n\"views\":[";
  bool first = true;
  for (Grouping grouping : kGroupings) {
    out += (first ? "" : ",\n") + view_json(p, grouping, nodes);
    first = false;
  }
  return out + "]}";
}

std::string_view name_of(Colouring colouring) {
  switch (colouring) {
    case Colouring::Operation: return "operation";
    case Colouring::Flops: return "flops";
    case Colouring::Bytes: return "bytes";
    case Colouring::Live: return "memory";
  }
  return {};
}

void put(std::string& page, std::string_view place, std::string_view text) {
  std::size_t at = page.find(place);
  page.replace(at, place.size(), text);
}

}  // namespace

std::string to_html(std::span<const Picture* const> stages, const Style& style) {
  std::map<std::string, std::string> colours;
  std::size_t most = 0;
  std::string data = "{\"stages\":[";
  for (std::size_t s = 0; s < stages.size(); ++s) {
    const Picture& p = *stages[s];
    data += (s ? ",\n" : "") + stage_json(p);
    most = std::max(most, p.size());
    for (std::size_t i = 0; i < p.size(); ++i)
      if (auto [at, added] = colours.try_emplace(colour_key(p, i)); added)
        at->second = label_colour(p.label(i), p.node(i).kind, p.node(i).op);
  }
  for (const auto& [label, colour] : style.colours) colours[label] = colour;
  data += "],\n\"colours\":{";
  bool first = true;
  for (const auto& [label, colour] : colours) {
    data += (first ? "" : ",") + json_text(label) + ":" + json_text(colour);
    first = false;
  }
  data += "},\"heat\":[";
  for (int k = 0; k <= 24; ++k) data += (k ? "," : "") + json_text(heat_colour(static_cast<float>(k) / 24));
  data += "],\"colour\":" + json_text(name_of(style.colouring)) +
          ",\"view\":" + json_text(most > kOpenWhole ? "line" : "nodes") + "}";
  std::string page = kPageHtml;
  put(page, "@STYLE@", kPageStyle);
  put(page, "@SCRIPT@", kPageScript);
  put(page, "@DATA@", data);
  return page;
}

}  // namespace autoray::ir::picture
