// What a graph costs, as a table and as JSON: totals, operations, the most expensive nodes.
#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "ir/picture/write.h"

namespace autoray::ir::picture {
namespace {

constexpr std::size_t kExpensive = 10;

struct Row {
  std::string label;
  std::size_t count = 0;
  double flops = 0, traffic = 0;
  std::int64_t bytes = 0;
};

std::vector<Row> by_operation(const Picture& p) {
  std::map<std::string, Row> rows;
  for (std::size_t i = 0; i < p.size(); ++i) {
    Row& row = rows[std::string(p.label(i) == "None" ? p.kind(i) : p.label(i))];
    ++row.count;
    row.flops += p.flops[i];
    row.traffic += p.traffic[i];
    if (p.node(i).kind != NodeKind::Project) row.bytes += p.bytes(i);
  }
  std::vector<Row> list;
  for (auto& [label, row] : rows) {
    row.label = label;
    list.push_back(std::move(row));
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const Row& a, const Row& b) { return a.flops != b.flops ? a.flops > b.flops : a.traffic > b.traffic; });
  return list;
}

// By FLOPs, then by bytes moved; the first of equals.
std::vector<Index> expensive(const Picture& p) {
  std::vector<Index> list(p.size());
  std::iota(list.begin(), list.end(), 0);
  std::size_t count = std::min(kExpensive, list.size());
  std::partial_sort(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(count), list.end(), [&](Index a, Index b) {
    if (p.flops[a] != p.flops[b]) return p.flops[a] > p.flops[b];
    if (p.traffic[a] != p.traffic[b]) return p.traffic[a] > p.traffic[b];
    return a < b;
  });
  list.resize(count);
  while (!list.empty() && p.flops[list.back()] == 0 && p.traffic[list.back()] == 0) list.pop_back();
  return list;
}

std::string place_of(const Picture& p, std::size_t i) {
  auto sources = p.sources(i);
  if (sources.empty()) return {};
  const SourcePlace& place = p.block.tables->sources.place(sources[0]);
  return std::string(p.block.tables->names.text(place.file)) + ":" + std::to_string(place.line);
}

// Columns as wide as their widest cell; numbers stand to the right.
std::string table(const std::vector<std::vector<std::string>>& rows, std::size_t right_from, std::size_t right_to) {
  std::vector<std::size_t> width(rows[0].size());
  auto length = [](const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  };
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], length(row[c]));
  std::string out;
  for (const auto& row : rows) {
    std::string line = " ";
    for (std::size_t c = 0; c < row.size(); ++c) {
      std::string room(width[c] - length(row[c]), ' ');
      line += " " + (c >= right_from && c < right_to ? room + row[c] : row[c] + room) + " ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace

std::string to_table(const Picture& p) {
  std::string out = p.options.title + (p.options.stage == "recorded" ? "" : " (" + p.options.stage + ")") + "\n";
  std::size_t depth = 0;
  std::vector<std::size_t> depths(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) {
    for (Index input : p.inputs(i)) depths[i] = std::max(depths[i], depths[input] + 1);
    depth = std::max(depth, depths[i]);
  }
  out += table({{"nodes", grouped_number(p.size())},
                {"longest path", grouped_number(depth)},
                {"FLOPs", short_number(p.total_flops)},
                {"memory moved", byte_text(p.total_traffic)},
                {"memory of all values", byte_text(static_cast<double>(p.total_bytes))},
                {"peak memory", byte_text(static_cast<double>(p.peak_bytes)) + " (" +
                                    grouped_number(static_cast<std::uint64_t>(p.peak_bytes)) + " B)"}},
               1, 1);
  if (p.size() == 0) return out;
  std::vector<std::vector<std::string>> rows = {{"operation", "nodes", "FLOPs", "moved", "memory"}};
  for (const Row& row : by_operation(p))
    rows.push_back({row.label, grouped_number(row.count), short_number(row.flops), byte_text(row.traffic),
                    byte_text(static_cast<double>(row.bytes))});
  out += "\n" + table(rows, 1, 5);
  std::vector<Index> top = expensive(p);
  if (top.empty()) return out;
  rows = {{"most expensive", "FLOPs", "moved", "type", "line", "expression"}};
  for (Index i : top)
    rows.push_back({p.names[p.drawn[i]], short_number(p.flops[i]), byte_text(p.traffic[i]), shorten(p.type(i), 32),
                    place_of(p, i), shorten(p.expression(i), 60)});
  return out + "\n" + table(rows, 1, 3);
}

std::string to_table_json(const Picture& p) {
  std::string out = "{\"title\": " + json_text(p.options.title) + ", \"stage\": " + json_text(p.options.stage) +
                    ",\n\"totals\": {\"nodes\": " + std::to_string(p.size()) + ", \"flops\": " + number_text(p.total_flops) +
                    ", \"traffic\": " + number_text(p.total_traffic) + ", \"bytes\": " + std::to_string(p.total_bytes) +
                    ", \"peak_bytes\": " + std::to_string(p.peak_bytes) + "},\n\"operations\": [";
  bool first = true;
  auto comma = [&] { return std::exchange(first, false) ? "\n" : ",\n"; };
  for (const Row& row : by_operation(p))
    out += comma() + ("{\"op\": " + json_text(row.label)) + ", \"nodes\": " + std::to_string(row.count) +
           ", \"flops\": " + number_text(row.flops) + ", \"traffic\": " + number_text(row.traffic) +
           ", \"bytes\": " + std::to_string(row.bytes) + "}";
  out += "],\n\"expensive\": [";
  first = true;
  for (Index i : expensive(p))
    out += comma() + ("{\"name\": " + json_text(p.names[p.drawn[i]])) + ", \"expression\": " + json_text(p.expression(i)) +
           ", \"type\": " + json_text(p.type(i)) + ", \"flops\": " + number_text(p.flops[i]) +
           ", \"traffic\": " + number_text(p.traffic[i]) + ", \"place\": " + json_text(place_of(p, i)) + "}";
  return out + "]}\n";
}

}  // namespace autoray::ir::picture
