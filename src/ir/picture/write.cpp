#include "ir/picture/write.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <unordered_map>

namespace autoray::ir::picture {

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || c == '<') {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", byte);
      out += escape;
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + "\"";
}

std::string xml_text(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      case '\n': out += "&#10;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

std::string dot_text(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

namespace {

std::string scaled(double value, double step, const char* const* units, std::size_t count) {
  std::size_t k = 0;
  while (k + 1 < count && value >= step) {
    value /= step;
    ++k;
  }
  char text[48];
  std::snprintf(text, sizeof text,
                k == 0        ? "%.0f%s"
                : value < 10  ? "%.2f%s"
                : value < 100 ? "%.1f%s"
                              : "%.0f%s",
                value, units[k]);
  return text;
}

}  // namespace

std::string short_number(double value) {
  static constexpr const char* kUnits[] = {"", "k", "M", "G", "T", "P"};
  return scaled(value, 1000, kUnits, std::size(kUnits));
}
std::string byte_text(double bytes) {
  static constexpr const char* kUnits[] = {" B", " KiB", " MiB", " GiB", " TiB", " PiB"};
  return scaled(bytes, 1024, kUnits, std::size(kUnits));
}
std::string grouped_number(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string counted(std::uint64_t count, const std::string& noun) {
  return grouped_number(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string totals_text(const Picture& p) {
  return counted(p.size(), "node") + ", " + short_number(p.total_flops) + " FLOPs, " +
         byte_text(static_cast<double>(p.total_bytes)) + " in all, peak " + byte_text(static_cast<double>(p.peak_bytes));
}

float text_width(std::string_view text, float size) {
  std::size_t characters = 0;
  for (char c : text) characters += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return 0.602f * size * static_cast<float>(characters);
}

std::string shorten(std::string text, std::size_t characters) {
  std::size_t at = 0, seen = 0;
  for (; at < text.size(); ++at)
    if ((static_cast<unsigned char>(text[at]) & 0xc0) != 0x80 && ++seen > characters) break;
  if (at >= text.size()) return text;
  return text.substr(0, at) + "…";
}

std::string node_detail(const Picture& p, std::size_t i) {
  const std::string& name = p.names[p.drawn[i]];
  std::string type = p.type(i);
  return shorten(name, 18) + ": " + shorten(std::move(type), 26);
}

std::string group_detail(const Picture& p, const Group& group) {
  std::map<std::string_view, std::size_t> count;
  for (Index i : group.nodes) ++count[p.label(i) == "None" ? p.kind(i) : p.label(i)];
  std::vector<std::pair<std::string_view, std::size_t>> list(count.begin(), count.end());
  std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (std::size_t k = 0; k < list.size() && k < 3; ++k)
    text += (k ? ", " : "") + grouped_number(list[k].second) + " " + std::string(list[k].first);
  return list.size() > 3 ? text + ", …" : text;
}

Box node_box(const Picture& p, std::size_t i) {
  float width = std::max(text_width(p.label(i) == "None" ? p.kind(i) : p.label(i), kTitleSize),
                         text_width(node_detail(p, i), kDetailSize));
  return {width + 2 * kBoxPadding, 36};
}
Box group_box(const Picture& p, const Group& group) {
  float width = std::max(text_width(group.title, kTitleSize) + 24, text_width(group_detail(p, group), kDetailSize));
  width = std::max(width, text_width(shorten(group.detail, 48), kDetailSize));
  return {width + 2 * kBoxPadding, group.detail.empty() ? 38.f : 54.f};
}

Digraph node_graph(const Picture& p) {
  Digraph g;
  for (std::size_t i = 0; i < p.size(); ++i) {
    Box box = node_box(p, i);
    g.width.push_back(box.width);
    g.height.push_back(box.height);
    for (Index input : p.inputs(i)) g.edges.push_back({input, static_cast<Index>(i)});
  }
  return g;
}

Digraph inner_graph(const Picture& p, const Group& group, std::vector<Index>& place) {
  Digraph g;
  for (std::size_t k = 0; k < group.nodes.size(); ++k) place[group.nodes[k]] = static_cast<Index>(k);
  for (std::size_t k = 0; k < group.nodes.size(); ++k) {
    Index i = group.nodes[k];
    Box box = node_box(p, i);
    g.width.push_back(box.width);
    g.height.push_back(box.height);
    for (Index input : p.inputs(i))
      if (Index from = place[input]; from < k && group.nodes[from] == input) g.edges.push_back({from, static_cast<Index>(k)});
  }
  return g;
}

Quotient quotient_graph(const Picture& p, const std::vector<Group>& groups) {
  Quotient q;
  std::vector<Index> group_of(p.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    Box box = group_box(p, groups[g]);
    q.graph.width.push_back(box.width);
    q.graph.height.push_back(box.height);
    for (Index i : groups[g].nodes) group_of[i] = static_cast<Index>(g);
  }
  std::unordered_map<std::uint64_t, std::size_t> places;
  for (std::size_t i = 0; i < p.size(); ++i)
    for (Index input : p.inputs(i)) {
      Edge e{group_of[input], group_of[i]};
      if (e.from == e.to) continue;
      auto [at, added] = places.try_emplace(std::uint64_t{e.from} << 32 | e.to, q.graph.edges.size());
      if (added) {
        q.graph.edges.push_back(e);
        q.count.push_back(0);
      }
      ++q.count[at->second];
    }
  return q;
}

}  // namespace autoray::ir::picture
