#include "bench_report.h"

#include <algorithm>
#include <cstdio>

#include "command.h"

namespace autoray::tools {
namespace {

std::string formatted(const char* format, double value) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

// Three digits and a unit.
std::string time_text(double seconds) {
  static constexpr const char* kUnits[] = {"ns", "us", "ms", "s"};
  double value = seconds * 1e9;
  int unit = 0;
  for (; unit < 3 && value >= 999.5; ++unit) value /= 1000;
  return formatted(value >= 99.95 ? "%.0f " : value >= 9.995 ? "%.1f " : "%.2f ", value) + kUnits[unit];
}
std::string ratio_text(double ratio) { return formatted(ratio >= 99.95 ? "%.0f" : ratio >= 9.995 ? "%.1f" : "%.3g", ratio); }

std::string xml(const std::string& text) {
  std::string out;
  for (char c : text)
    out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : std::string(1, c);
  return out;
}

}  // namespace

std::string bench_table(const std::vector<Measured>& rows) {
  std::vector<std::vector<std::string>> lines = {
      {"function", "executor", "median", "25 %", "75 %", "calls", "compile", "ratio", ""}};
  std::string last;
  for (const Measured& m : rows) {
    std::string function = m.function == last ? "" : m.function;
    last = m.function;
    if (!m.refused.empty()) {
      lines.push_back({function, m.executor, "-", "-", "-", "-", "-", "-", "refused: " + m.refused});
      continue;
    }
    lines.push_back({function, m.executor, time_text(m.median()), time_text(m.quantile(0.25)), time_text(m.quantile(0.75)),
                     std::to_string(m.times.size()), m.executor == "eager" ? "-" : time_text(m.compile_seconds),
                     ratio_text(m.ratio), m.note});
  }
  std::vector<std::size_t> widths(lines[0].size());
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  std::string out;
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      std::string padding(i + 1 < line.size() ? widths[i] - line[i].size() : 0, ' ');
      // Names to the left, figures to the right.
      text += (i ? "  " : "") + (i < 2 ? line[i] + padding : padding + line[i]);
    }
    out += text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

std::string bench_json(const std::string& script, const std::string& backend, const std::vector<Measured>& rows) {
  std::string out = "{\"script\": " + json(script) + ", \"backend\": " + json(backend) + ", \"results\": [";
  bool first = true;
  for (const Measured& m : rows) {
    out += (first ? "\n  " : ",\n  ") + ("{\"function\": " + json(m.function)) + ", \"executor\": " + json(m.executor);
    first = false;
    if (!m.refused.empty()) {
      out += ", \"refused\": " + json(m.refused) + "}";
      continue;
    }
    auto add = [&](const char* name, double value) { out += std::string(", \"") + name + "\": " + formatted("%.9g", value); };
    add("seconds", m.median());
    add("lower_quartile", m.quantile(0.25));
    add("upper_quartile", m.quantile(0.75));
    add("least", m.quantile(0));
    add("runs", static_cast<double>(m.times.size()));
    add("compile_seconds", m.compile_seconds);
    add("ratio", m.ratio);
    out += ", \"note\": " + json(m.note) + "}";
  }
  return out + "\n]}\n";
}

// Bars from zero, one a row, the quartiles as a whisker.
std::string bench_svg(const std::string& title, const std::vector<Measured>& rows) {
  constexpr double kRow = 24, kBar = 16, kHeading = 30, kTop = 34, kLabel = 90, kLength = 460, kText = 320;
  auto number = [](double value) { return formatted("%.1f", value); };
  double most = 0;
  for (const Measured& m : rows)
    if (m.refused.empty()) most = std::max(most, m.quantile(0.75));
  auto x = [&](double seconds) { return kLabel + (most > 0 ? seconds / most * kLength : 0); };
  std::string body, last;
  double y = kTop;
  for (const Measured& m : rows) {
    if (m.function != last) {
      body += "<text class=\"f\" x=\"14\" y=\"" + number(y + 18) + "\">" + xml(m.function) + "</text>\n";
      y += kHeading;
      last = m.function;
    }
    double middle = y + kBar / 2, text_x = kLabel + 7;
    body += "<text text-anchor=\"end\" x=\"" + number(kLabel - 8) + "\" y=\"" + number(middle + 4) + "\">" + xml(m.executor) +
            "</text>";
    std::string text = "refused: " + (m.refused.size() > 80 ? m.refused.substr(0, 79) + "..." : m.refused);
    if (m.refused.empty()) {
      const char* colour = m.executor == "eager" ? "#9aa5b4" : m.executor == "plan" ? "#5b7fc7" : "#3c9d6b";
      double low = x(m.quantile(0.25)), high = x(m.quantile(0.75));
      body += "<rect x=\"" + number(kLabel) + "\" y=\"" + number(y) + "\" width=\"" +
              number(std::max(1.0, x(m.median()) - kLabel)) + "\" height=\"" + number(kBar) + "\" rx=\"2\" fill=\"" + colour +
              "\"/><path d=\"M" + number(low) + " " + number(middle) + "H" + number(high) + "M" + number(low) + " " +
              number(middle - 4) + "v8M" + number(high) + " " + number(middle - 4) + "v8\"/>";
      text = time_text(m.median());
      if (m.executor != "eager") text += ", " + ratio_text(m.ratio) + " of eager; compiled in " + time_text(m.compile_seconds);
      text_x = std::max(x(m.median()), high) + 7;
    }
    body += "<text x=\"" + number(text_x) + "\" y=\"" + number(middle + 4) + "\">" + xml(text) + "</text>\n";
    y += kRow;
  }
  double width = kLabel + kLength + kText, height = y + 12;
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(width) + "\" height=\"" + number(height) +
         "\" viewBox=\"0 0 " + number(width) + " " + number(height) +
         "\">\n<style>text{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:11px;fill:#47515e}"
         ".f,.h{font-weight:600;fill:#1d2530}.f{font-size:12px}.h{font-size:13px}path{stroke:#1d2530;fill:none}</style>\n"
         "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text class=\"h\" x=\"14\" y=\"22\">" +
         xml(title) + "</text>\n" + body + "</svg>\n";
}

}  // namespace autoray::tools
