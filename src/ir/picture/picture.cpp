#include "ir/picture/picture.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <compare>
#include <unordered_map>

#include "ir/graph/text.h"
#include "ir/plan/plan.h"

namespace autoray::ir::picture {

std::string_view name(Grouping grouping) {
  switch (grouping) {
    case Grouping::Line: return "line";
    case Grouping::Function: return "function";
    case Grouping::Operation: return "operation";
  }
  return {};
}

std::optional<Colouring> find_colouring(std::string_view name) {
  // The reference says `function` for the function that a node calls.
  if (name == "operation" || name == "function") return Colouring::Operation;
  if (name == "flops") return Colouring::Flops;
  if (name == "bytes") return Colouring::Bytes;
  if (name == "memory") return Colouring::Live;
  return std::nullopt;
}

std::string type_text(const Type& type) {
  std::string text(type.kind == Kind::Weak ? "Python " : "");
  text += ir::name(type.dtype);
  if (type.shape.empty()) return type.kind == Kind::Array ? text + "[]" : text;
  text += "[";
  for (std::size_t i = 0; i < type.shape.size(); ++i) text += (i ? "," : "") + std::to_string(type.shape[i]);
  return text + "]";
}

std::string number_text(double value) {
  if (value == std::floor(value) && std::abs(value) < 0x1p63) return std::to_string(static_cast<std::int64_t>(value));
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}

Picture::Picture(const Block& b, PictureOptions o) : block(b), options(std::move(o)), names(node_names(b)) {
  const std::size_t count = block.nodes.size();
  number.assign(count, kNoIndex);
  if (options.literal)
    for (Index argument : block.arguments)
      if (block.nodes[argument].kind == NodeKind::Constant && block.type(argument).shape.empty())
        if (std::string text = options.literal(block.nodes[argument].number); !text.empty()) names[argument] = std::move(text);
  merged_ = block.merged_sources;
  std::stable_sort(merged_.begin(), merged_.end(), [](const auto& a, const auto& c) { return a.first < c.first; });
  std::vector<std::int64_t> alive_after;
  peak_bytes = liveness(block, {}, &alive_after).peak;
  first.push_back(0);
  for (Index i = 0; i < count; ++i) {
    if (block.hidden(i)) continue;
    number[i] = static_cast<Index>(drawn.size());
    drawn.push_back(i);
    for (Index input : block.inputs(i))
      if (input != kNoIndex && number[input] != kNoIndex) edges.push_back(number[input]);
    first.push_back(static_cast<Index>(edges.size()));
    Cost c = cost(block, i);
    flops.push_back(c.flops);
    traffic.push_back(c.bytes);
    alive.push_back(alive_after[i]);
    std::int64_t size = byte_count(block, i);
    total_flops += c.flops;
    total_traffic += c.bytes;
    if (block.nodes[i].kind != NodeKind::Project) total_bytes += size;
    most_flops_ = std::max(most_flops_, c.flops);
    most_bytes_ = std::max(most_bytes_, static_cast<double>(size));
  }
  result.assign(drawn.size(), false);
  for (Index r : block.results)
    if (number[r] != kNoIndex) result[number[r]] = true;
}

std::string_view Picture::kind(std::size_t i) const {
  switch (node(i).kind) {
    case NodeKind::Leaf: return "array";
    case NodeKind::Variable: return "variable";
    case NodeKind::Project: return "projection";
    default: return "call";
  }
}

std::string Picture::expression(std::size_t i) const {
  Index self = drawn[i];
  if (node(i).kind != NodeKind::Call && node(i).kind != NodeKind::Project) return std::string(kind(i));
  return call_text(block, self, [&](Index k) {
    Index input = block.inputs(self)[k];
    return input == kNoIndex ? std::string("None") : names[input];
  });
}

std::string Picture::type(std::size_t i) const {
  std::string text;
  for (const Type& t : block.types(drawn[i])) text += (text.empty() ? "" : ", ") + type_text(t);
  return text;
}

std::vector<SourceId> Picture::sources(std::size_t i) const {
  std::vector<SourceId> list;
  auto add = [&](SourceId id) {
    if (id != kNoSource && std::find(list.begin(), list.end(), id) == list.end()) list.push_back(id);
  };
  add(node(i).source);
  auto at = std::lower_bound(merged_.begin(), merged_.end(), drawn[i], [](const auto& m, Index n) { return m.first < n; });
  for (; at != merged_.end() && at->first == drawn[i]; ++at) add(at->second);
  return list;
}

namespace {

// A line of a text without its indentation; empty where there is none.
std::string line_of(std::string_view text, std::uint32_t line) {
  std::size_t at = 0;
  for (std::uint32_t n = 1; n < line && at != std::string_view::npos; ++n) {
    at = text.find('\n', at);
    if (at != std::string_view::npos) ++at;
  }
  if (at == std::string_view::npos || line == 0) return {};
  std::string_view found = text.substr(at, text.find('\n', at) - at);
  std::size_t start = found.find_first_not_of(" \t");
  if (start == std::string_view::npos) return {};
  return std::string(found.substr(start, found.find_last_not_of(" \t\r") + 1 - start));
}

}  // namespace

std::vector<Group> Picture::groups(Grouping grouping) const {
  const SourceTable& sources = block.tables->sources;
  const Interner& interned = block.tables->names;
  std::vector<Group> list;
  std::unordered_map<std::string, std::size_t> places;
  struct Place {
    std::uint32_t made;
    NameId file;
    std::uint32_t line;
    std::size_t met;
    auto operator<=>(const Place&) const = default;
  };
  std::vector<Place> order;
  // Nodes of one loop have one source after the other: the last key is often the next.
  std::string key;
  for (std::size_t i = 0; i < size(); ++i) {
    const BlockNode& n = node(i);
    bool input = n.kind == NodeKind::Leaf || n.kind == NodeKind::Variable;
    SourceId source = n.source;
    // A projection belongs to its call.
    if (n.kind == NodeKind::Project && source == kNoSource) source = block.nodes[block.inputs(drawn[i])[0]].source;
    const SourcePlace& place = sources.place(source);
    std::string_view file = interned.text(place.file), function = interned.text(place.function);
    std::string title, detail;
    if (input) {
      title = "inputs";
    } else if (grouping == Grouping::Operation) {
      title = std::string(label(i));
    } else if (source == kNoSource) {
      title = "no line";
    } else {
      std::string_view base = file.substr(file.rfind('/') + 1);
      if (grouping == Grouping::Line) {
        title = std::string(base) + ":" + std::to_string(place.line);
        detail = std::string(function);
      } else {
        title = std::string(function);
        detail = std::string(base);
      }
    }
    key = title;
    key += '\0';
    key += input ? std::string_view() : grouping == Grouping::Operation ? std::string_view() : file;
    auto [at, added] = places.try_emplace(key, list.size());
    if (added) {
      if (!input && grouping == Grouping::Line && source != kNoSource) detail = line_of(sources.text(place.file), place.line);
      list.push_back({std::move(title), std::move(detail), {}, 0, 0});
      order.push_back({input ? 0u : 1u, place.file, grouping == Grouping::Line ? place.line : 0, list.size()});
    }
    Group& group = list[at->second];
    group.nodes.push_back(static_cast<Index>(i));
    group.flops += flops[i];
    if (n.kind != NodeKind::Project) group.bytes += bytes(i);
  }
  // Lines stand as in their file, so that loops go back up; the others as their first nodes.
  if (grouping == Grouping::Line) std::sort(order.begin(), order.end());
  std::vector<Group> sorted;
  for (const Place& place : order) sorted.push_back(std::move(list[place.met - 1]));
  return sorted;
}

float Picture::heat(std::size_t i, Colouring by) const {
  double value = 0, most = 0;
  switch (by) {
    case Colouring::Operation: return 0;
    case Colouring::Flops: value = flops[i], most = most_flops_; break;
    case Colouring::Bytes: value = static_cast<double>(bytes(i)), most = most_bytes_; break;
    case Colouring::Live: value = static_cast<double>(alive[i]), most = static_cast<double>(peak_bytes); break;
  }
  return most > 0 ? static_cast<float>(std::log1p(value) / std::log1p(most)) : 0;
}

// ---- colours ----

namespace {

std::string hex(double r, double g, double b) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "#";
  for (double v : {r, g, b}) {
    int byte = std::clamp(static_cast<int>(v * 255 + 0.5), 0, 255);
    text += kDigits[byte / 16];
    text += kDigits[byte % 16];
  }
  return text;
}

std::string from_hsl(double hue, double saturation, double lightness) {
  double a = saturation * std::min(lightness, 1 - lightness);
  auto channel = [&](double n) {
    double k = std::fmod(n + hue / 30, 12);
    return lightness - a * std::max(-1.0, std::min({k - 3, 9 - k, 1.0}));
  };
  return hex(channel(0), channel(8), channel(4));
}

}  // namespace

std::string label_colour(std::string_view label, NodeKind kind, OpId op) {
  if (kind == NodeKind::Leaf || kind == NodeKind::Variable) return "#e6ebf2";
  if (kind == NodeKind::Project) return "#e9e9ec";
  // A hue a class of operations; the functions of a class differ a little.
  struct Hue {
    double hue, saturation;
  };
  Hue base{0, 0};
  switch (ir::op(op).op_class) {
    case OpClass::Elementwise: base = {212, 0.80}; break;
    case OpClass::Reduction: base = {150, 0.48}; break;
    case OpClass::View: base = {230, 0.10}; break;
    case OpClass::Join: base = {180, 0.45}; break;
    case OpClass::Index: base = {262, 0.55}; break;
    case OpClass::Create: base = {75, 0.45}; break;
    case OpClass::Contract: base = {30, 0.90}; break;
    case OpClass::Linalg: base = {350, 0.75}; break;
    case OpClass::Random: base = {305, 0.50}; break;
    case OpClass::Host: break;
  }
  std::uint32_t hash = 2166136261u;
  for (char c : label) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  double turn = static_cast<double>(hash % 21) - 10, light = static_cast<double>(hash / 32 % 7) * 0.012;
  return from_hsl(base.hue + turn, base.saturation, 0.78 + light);
}

std::string heat_colour(float heat) {
  struct Stop {
    double at, r, g, b;
  };
  static constexpr Stop kStops[] = {
      {0, 0.98, 0.96, 0.90}, {0.35, 0.99, 0.83, 0.55}, {0.7, 0.96, 0.55, 0.35}, {1, 0.90, 0.36, 0.33}};
  std::size_t k = 1;
  while (k < 3 && heat > kStops[k].at) ++k;
  const Stop &a = kStops[k - 1], &b = kStops[k];
  double t = std::clamp((heat - a.at) / (b.at - a.at), 0.0, 1.0);
  return hex(a.r + t * (b.r - a.r), a.g + t * (b.g - a.g), a.b + t * (b.b - a.b));
}

}  // namespace autoray::ir::picture
