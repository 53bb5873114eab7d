// DOT, JSON and plain text: the whole graph, a line a node.
#include <algorithm>

#include "ir/picture/write.h"

namespace autoray::ir::picture {
namespace {

std::string place_text(const Picture& p, SourceId id) {
  const SourcePlace& place = p.block.tables->sources.place(id);
  return std::string(p.block.tables->names.text(place.file)) + ":" + std::to_string(place.line);
}

std::string fill(const Picture& p, std::size_t i, const Style& style) {
  for (const auto& [label, colour] : style.colours)
    if (label == p.label(i)) return colour;
  if (style.colouring != Colouring::Operation) return heat_colour(p.heat(i, style.colouring));
  return label_colour(p.label(i), p.node(i).kind, p.node(i).op);
}

std::string column(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

}  // namespace

std::string to_dot(const Picture& p, const Style& style) {
  std::string out = "digraph " + dot_text(p.options.title) + " {\n";
  out += "  graph [label=" + dot_text(p.options.title + "\n" + totals_text(p)) + ", labelloc=t, fontname=\"Helvetica\"];\n";
  out +=
      "  node [shape=box, style=\"filled,rounded\", color=\"#7a8594\", fontname=\"Helvetica\", fontsize=11, "
      "margin=\"0.1,0.05\"];\n";
  out += "  edge [color=\"#8a94a3\", arrowsize=0.6];\n";
  for (std::size_t i = 0; i < p.size(); ++i) {
    std::string label(p.label(i) == "None" ? p.kind(i) : p.label(i));
    std::string tip = p.names[p.drawn[i]] + " = " + p.expression(i);
    for (SourceId source : p.sources(i)) tip += "\n" + place_text(p, source);
    out += "  n" + std::to_string(i) + " [";
    if (style.labels)
      out += "label=" + dot_text(label + "\n" + node_detail(p, i)) + ", ";
    else
      out += "label=\"\", ";
    out += "fillcolor=\"" + fill(p, i, style) + "\", tooltip=" + dot_text(tip);
    if (p.is_result(i)) out += ", penwidth=2";
    out += "];\n";
  }
  for (std::size_t i = 0; i < p.size(); ++i)
    for (Index input : p.inputs(i)) out += "  n" + std::to_string(input) + " -> n" + std::to_string(i) + ";\n";
  return out + "}\n";
}

std::string to_json(const Picture& p) { return graph_json(p, true) + "\n"; }

std::string graph_json(const Picture& p, bool whole) {
  const SourceTable& sources = p.block.tables->sources;
  const Interner& names = p.block.tables->names;
  std::string out = "{\"format\": \"autoray graph\", \"version\": 1,\n";
  out += "\"title\": " + json_text(p.options.title) + ", \"stage\": " + json_text(p.options.stage) + ",\n";
  out += "\"totals\": {\"nodes\": " + std::to_string(p.size()) + ", \"flops\": " + number_text(p.total_flops) +
         ", \"traffic\": " + number_text(p.total_traffic) + ", \"bytes\": " + std::to_string(p.total_bytes) +
         ", \"peak_bytes\": " + std::to_string(p.peak_bytes) + "},\n";
  // Call stacks and files that the nodes use, renumbered in the order of their use.
  std::vector<std::uint32_t> stack_number(sources.size(), 0);  // 1 + its number
  std::vector<SourceId> stacks;
  std::vector<NameId> files;
  std::vector<std::vector<SourceId>> at(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) {
    at[i] = p.sources(i);
    for (SourceId id : at[i])
      for (; id != kNoSource && !stack_number[id]; id = sources.place(id).caller) {
        stacks.push_back(id);
        stack_number[id] = static_cast<std::uint32_t>(stacks.size());
        if (std::find(files.begin(), files.end(), sources.place(id).file) == files.end())
          files.push_back(sources.place(id).file);
      }
  }
  out += "\"files\": [";
  for (std::size_t f = 0; f < files.size(); ++f)
    out += (f ? ",\n" : "\n") + ("{\"name\": " + json_text(names.text(files[f]))) +
           ", \"text\": " + json_text(sources.text(files[f])) + "}";
  out += "],\n\"stacks\": [";
  for (std::size_t s = 0; whole && s < stacks.size(); ++s) {
    const SourcePlace& place = sources.place(stacks[s]);
    auto file = std::find(files.begin(), files.end(), place.file) - files.begin();
    out += (s ? ",\n" : "\n") + ("{\"file\": " + std::to_string(file)) +
           ", \"function\": " + json_text(names.text(place.function)) + ", \"line\": " + std::to_string(place.line) +
           ", \"column\": " + std::to_string(place.column) + ", \"length\": " + std::to_string(place.length);
    if (place.caller != kNoSource) out += ", \"caller\": " + std::to_string(stack_number[place.caller] - 1);
    out += "}";
  }
  out += "],\n\"nodes\": [";
  for (std::size_t i = 0; whole && i < p.size(); ++i) {
    const Type& type = p.block.type(p.drawn[i]);
    out += i ? ",\n{" : "\n{";
    out += "\"name\": " + json_text(p.names[p.drawn[i]]) + ", \"op\": " + json_text(p.label(i)) +
           ", \"kind\": " + json_text(p.kind(i)) + ", \"expression\": " + json_text(p.expression(i)) +
           ", \"type\": " + json_text(p.type(i)) + ", \"dtype\": " + json_text(name(type.dtype)) + ", \"shape\": [";
    for (std::size_t k = 0; k < type.shape.size(); ++k) out += (k ? "," : "") + std::to_string(type.shape[k]);
    out += "], \"inputs\": [";
    for (std::size_t k = 0; k < p.inputs(i).size(); ++k) out += (k ? "," : "") + std::to_string(p.inputs(i)[k]);
    out += "], \"bytes\": " + std::to_string(p.bytes(i)) + ", \"flops\": " + number_text(p.flops[i]) +
           ", \"traffic\": " + number_text(p.traffic[i]) + ", \"live\": " + std::to_string(p.alive[i]) + ", \"stacks\": [";
    for (std::size_t k = 0; k < at[i].size(); ++k) out += (k ? "," : "") + std::to_string(stack_number[at[i][k]] - 1);
    out += "]}";
  }
  out += "],\n\"results\": [";
  bool some = false;
  for (Index r : p.block.results) {
    if (p.number[r] == kNoIndex || !whole) continue;
    out += (some ? "," : "") + std::to_string(p.number[r]);
    some = true;
  }
  return out + "]}";
}

std::string to_text(const Picture& p) {
  std::string out = "# " + p.options.title + (p.options.stage == "recorded" ? "" : " (" + p.options.stage + ")") + ": " +
                    totals_text(p) + "\n";
  std::size_t width = 0;
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < p.size(); ++i) {
    lines.push_back(p.names[p.drawn[i]] + " = " + p.expression(i));
    width = std::max(width, std::min<std::size_t>(lines.back().size(), 60));
  }
  for (std::size_t i = 0; i < p.size(); ++i) {
    out += column(std::move(lines[i]), width) + "  # " + p.type(i);
    if (p.flops[i] > 0) out += ", " + short_number(p.flops[i]) + " FLOPs";
    std::vector<SourceId> sources = p.sources(i);
    if (!sources.empty()) out += ", line " + std::to_string(p.block.tables->sources.place(sources[0]).line);
    if (p.is_result(i)) out += ", result";
    out += "\n";
  }
  return out;
}

}  // namespace autoray::ir::picture
