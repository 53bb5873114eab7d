// SVG: the layout as it is, each node with its statement as a tooltip. Large graphs are drawn by their lines.
#include <algorithm>
#include <cstdio>

#include "ir/picture/write.h"

namespace autoray::ir::picture {
namespace {

constexpr float kMargin = 24, kHead = 46;

std::string number(float value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", static_cast<double>(value));
  std::string s = text;
  return s.ends_with(".0") ? s.substr(0, s.size() - 2) : s;
}

// One shape on the drawing.
struct Card {
  std::string title, detail, note, tooltip, fill;
  bool result = false, input = false, stack = false;
};

std::string path(const Point& from, const Point& to, std::span<const Point> bends, float from_height, float to_height) {
  bool down = from.y <= to.y;
  Point at{from.x, from.y + (down ? from_height : -from_height) / 2};
  Point end{to.x, to.y + (down ? -to_height : to_height) / 2};
  std::string d = "M" + number(at.x) + " " + number(at.y);
  auto curve = [&](Point next) {
    float pull = (next.y - at.y) / 2;
    d += "C" + number(at.x) + " " + number(at.y + pull) + " " + number(next.x) + " " + number(next.y - pull) + " " +
         number(next.x) + " " + number(next.y);
    at = next;
  };
  for (const Point& bend : bends) curve(bend);
  curve(end);
  return d;
}

std::string draw(const Picture& p, const Digraph& graph, const std::vector<Card>& cards,
                 const std::vector<std::uint32_t>* weights, const std::string& notice, bool labels) {
  Layout layout = lay_out(graph);
  float head = kHead + (notice.empty() ? 0 : 18);
  float least = std::max(text_width(totals_text(p), 12), text_width(notice, 12));
  float width = std::max(layout.width, least) + 2 * kMargin, height = layout.height + head + 2 * kMargin;
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(width) + "\" height=\"" + number(height) +
                    "\" viewBox=\"0 0 " + number(width) + " " + number(height) + "\">\n";
  out +=
      "<style>text{font-family:ui-monospace,'DejaVu Sans "
      "Mono',Menlo,Consolas,monospace;font-size:12px;fill:#1d2530;text-anchor:middle}"
      ".h{font-size:15px;font-weight:600;text-anchor:start}.s{text-anchor:start;fill:#5b6676}.d{font-size:10px;fill:#47515e}"
      "rect{stroke:#7f8a99;stroke-width:.8}.r{stroke:#1d2530;stroke-width:2}.i{stroke-dasharray:3 2}"
      "path{fill:none;stroke:#8a94a3;stroke-width:1}</style>\n";
  out += "<rect width=\"100%\" height=\"100%\" style=\"fill:#fff;stroke:none\"/>\n";
  out += "<text class=\"h\" x=\"" + number(kMargin) + "\" y=\"" + number(kMargin + 6) + "\">" + xml_text(p.options.title) +
         "</text>\n";
  out += "<text class=\"s\" x=\"" + number(kMargin) + "\" y=\"" + number(kMargin + 24) + "\">" + xml_text(totals_text(p)) +
         "</text>\n";
  if (!notice.empty())
    out +=
        "<text class=\"s\" x=\"" + number(kMargin) + "\" y=\"" + number(kMargin + 42) + "\">" + xml_text(notice) + "</text>\n";
  out += "<g transform=\"translate(" + number(kMargin + std::max(0.f, (width - 2 * kMargin - layout.width) / 2)) + " " +
         number(head + kMargin) + ")\">\n";
  for (std::size_t e = 0; e < graph.edges.size(); ++e) {
    const Edge& edge = graph.edges[e];
    if (edge.from == edge.to) continue;
    std::span<const Point> bends(layout.bends.data() + layout.first_bend[e], layout.first_bend[e + 1] - layout.first_bend[e]);
    out += "<path d=\"" +
           path(layout.centre[edge.from], layout.centre[edge.to], bends, graph.height[edge.from], graph.height[edge.to]) + "\"";
    if (weights && (*weights)[e] > 1)
      out += " style=\"stroke-width:" + number(std::min(6.f, 1 + static_cast<float>((*weights)[e]) / 1000)) + "\"";
    out += weights ? "><title>" + counted((*weights)[e], "edge") + "</title></path>\n" : "/>\n";
  }
  for (std::size_t i = 0; i < cards.size(); ++i) {
    const Card& card = cards[i];
    float w = graph.width[i], h = graph.height[i], x = layout.centre[i].x, y = layout.centre[i].y;
    out += "<g><title>" + xml_text(card.tooltip) + "</title>";
    std::string place = "width=\"" + number(w) + "\" height=\"" + number(h) + "\" rx=\"5\" style=\"fill:" + card.fill + "\"/>";
    if (card.stack) out += "<rect x=\"" + number(x - w / 2 + 3) + "\" y=\"" + number(y - h / 2 + 3) + "\" " + place;
    out += std::string("<rect") +
           (card.result  ? " class=\"r\""
            : card.input ? " class=\"i\""
                         : "") +
           " x=\"" + number(x - w / 2) + "\" y=\"" + number(y - h / 2) + "\" " + place;
    float line = y - h / 2 + 15;
    auto text = [&](const std::string& t, bool detail) {
      if (t.empty()) return;
      out += std::string("<text") + (detail ? " class=\"d\"" : "") + " x=\"" + number(x) + "\" y=\"" + number(line) + "\">" +
             xml_text(t) + "</text>";
      line += 14;
    };
    if (labels) {
      text(card.title, false);
      text(card.detail, true);
      text(card.note, true);
    }
    out += "</g>\n";
  }
  if (cards.empty()) out += "<text class=\"s\" x=\"0\" y=\"12\">nothing was recorded</text>\n";
  return out + "</g>\n</svg>\n";
}

}  // namespace

std::string to_svg(const Picture& p, const Style& style) {
  std::vector<Card> cards;
  auto chosen = [&](std::string_view label) -> const std::string* {
    for (const auto& [of, colour] : style.colours)
      if (of == label) return &colour;
    return nullptr;
  };
  auto fill = [&](std::size_t i) {
    if (const std::string* colour = chosen(p.label(i))) return *colour;
    if (style.colouring != Colouring::Operation) return heat_colour(p.heat(i, style.colouring));
    return label_colour(p.label(i), p.node(i).kind, p.node(i).op);
  };
  if (p.size() <= kWholeSvg) {
    for (std::size_t i = 0; i < p.size(); ++i) {
      Card card;
      card.title = p.label(i) == "None" ? p.kind(i) : p.label(i);
      card.detail = node_detail(p, i);
      card.tooltip = p.names[p.drawn[i]] + " = " + p.expression(i) + "\n" + p.type(i) + ", " +
                     byte_text(static_cast<double>(p.bytes(i))) + ", " + short_number(p.flops[i]) + " FLOPs";
      for (SourceId source : p.sources(i)) {
        const SourcePlace& place = p.block.tables->sources.place(source);
        card.tooltip += "\n" + std::string(p.block.tables->names.text(place.file)) + ":" + std::to_string(place.line);
      }
      card.fill = fill(i);
      card.result = p.is_result(i);
      card.input = p.inputs(i).empty() && p.label(i) == "None";
      cards.push_back(std::move(card));
    }
    return draw(p, node_graph(p), cards, nullptr, "", style.labels);
  }
  std::vector<Group> groups = p.groups(Grouping::Line);
  Quotient quotient = quotient_graph(p, groups);
  double most = 0;
  auto value = [&](const Group& g) {
    if (style.colouring == Colouring::Flops) return g.flops;
    if (style.colouring == Colouring::Bytes) return static_cast<double>(g.bytes);
    double live = 0;
    for (Index i : g.nodes) live = std::max(live, static_cast<double>(p.alive[i]));
    return live;
  };
  for (const Group& g : groups) most = std::max(most, value(g));
  for (const Group& g : groups) {
    Card card;
    card.title = g.title;
    card.detail = shorten(g.detail, 48);
    card.note = group_detail(p, g);
    card.tooltip = g.title + "\n" + counted(g.nodes.size(), "node") + ", " + short_number(g.flops) + " FLOPs, " +
                   byte_text(static_cast<double>(g.bytes));
    card.stack = g.nodes.size() > 1;
    card.fill = style.colouring == Colouring::Operation ? fill(g.nodes.back())
                                                        : heat_colour(most > 0 ? static_cast<float>(value(g) / most) : 0);
    cards.push_back(std::move(card));
  }
  std::string notice = "drawn by source lines: more than " + grouped_number(kWholeSvg) + " nodes; DOT and JSON have every one";
  return draw(p, quotient.graph, cards, &quotient.count, notice, style.labels);
}

}  // namespace autoray::ir::picture
