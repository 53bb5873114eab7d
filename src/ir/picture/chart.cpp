#include "ir/picture/chart.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "ir/picture/write.h"

namespace autoray::ir::picture {
namespace {

constexpr double kWidth = 800, kHeight = 200, kLeft = 70, kTop = 40, kBottom = 28;
constexpr std::size_t kMostMarks = 4000;

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string open_svg(double width, double height, std::string_view title) {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(width) + "\" height=\"" + number(height) +
         "\" viewBox=\"0 0 " + number(width) + " " + number(height) +
         "\">\n<style>text{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:11px;fill:#47515e}"
         ".h{font-size:13px;font-weight:600;fill:#1d2530}line{stroke:#dde2e9}</style>\n"
         "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text class=\"h\" x=\"14\" y=\"22\">" +
         xml_text(title) + "</text>\n";
}

}  // namespace

std::string series_svg(const Series& s) {
  std::string out = open_svg(kWidth + kLeft + 20, kHeight + kTop + kBottom, s.title);
  auto scale = [&](double v) { return s.log > 0 ? (v > 1 ? std::log(v) / std::log(s.log) : 0) : v; };
  double most = 0;
  for (double v : s.values) most = std::max(most, v);
  const double top = std::max(scale(most), 1e-300), steps = static_cast<double>(std::max<std::size_t>(1, s.values.size()));
  auto x = [&](double step) { return kLeft + step / steps * kWidth; };
  auto y = [&](double v) { return kTop + kHeight * (1 - scale(v) / top); };
  for (double part : {0.0, 0.5, 1.0}) {
    double value = s.log > 0 ? std::pow(s.log, part * top) : part * most, at = kTop + kHeight * (1 - part);
    out += "<line x1=\"" + number(kLeft) + "\" x2=\"" + number(kLeft + kWidth) + "\" y1=\"" + number(at) + "\" y2=\"" +
           number(at) + "\"/><text text-anchor=\"end\" x=\"" + number(kLeft - 8) + "\" y=\"" + number(at + 4) + "\">" +
           short_number(value) + "</text>\n";
  }
  out += "<text x=\"" + number(kLeft) + "\" y=\"" + number(kTop + kHeight + 18) + "\">" + grouped_number(s.values.size()) +
         " steps, " + xml_text(s.unit) + "</text>\n";
  const std::size_t shown = std::min(s.values.size(), kMostMarks);
  std::string path;
  for (std::size_t k = 0; k < shown; ++k) {
    std::size_t from = k * s.values.size() / shown, to = (k + 1) * s.values.size() / shown;
    auto at = std::max_element(s.values.begin() + static_cast<std::ptrdiff_t>(from),
                               s.values.begin() + static_cast<std::ptrdiff_t>(to));
    auto index = static_cast<std::size_t>(at - s.values.begin());
    std::string colour = s.colours.empty() ? "#5b7fc7" : s.colours[s.colours.size() == 1 ? 0 : index];
    if (s.mark == Mark::Area) {
      path += (path.empty() ? "M" : "L") + number(x(static_cast<double>(from))) + " " + number(y(*at)) + "H" +
              number(x(static_cast<double>(to)));
    } else if (s.mark == Mark::Points) {
      out += "<circle cx=\"" + number(x(static_cast<double>(index) + 0.5)) + "\" cy=\"" + number(y(*at)) +
             "\" r=\"3\" fill=\"" + xml_text(colour) + "\"/>\n";
    } else {
      out += "<path stroke=\"" + xml_text(colour) + "\" stroke-width=\"" + number(std::clamp(kWidth / steps * 0.7, 1.0, 8.0)) +
             "\" d=\"M" + number(x(static_cast<double>(index) + 0.5)) + " " + number(kTop + kHeight) + "V" + number(y(*at)) +
             "\"/>\n";
    }
  }
  if (!path.empty()) {
    std::string colour = s.colours.empty() ? "#5b7fc7" : s.colours[0];
    out += "<path fill=\"" + xml_text(colour) + "\" fill-opacity=\"0.35\" stroke=\"" + xml_text(colour) + "\" d=\"" + path +
           "V" + number(kTop + kHeight) + "H" + number(kLeft) + "Z\"/>\n";
  }
  return out + "</svg>\n";
}

std::string bars_svg(std::string_view title, const std::vector<Bar>& bars) {
  constexpr double kRow = 22, kBar = 420;
  double label = 60, most = 0;
  for (const Bar& bar : bars) {
    label = std::max(label, static_cast<double>(text_width(bar.label, 11)) + 24);
    most = std::max(most, bar.value);
  }
  std::string out = open_svg(label + kBar + 100, kTop + kRow * static_cast<double>(bars.size()) + 10, title);
  for (std::size_t k = 0; k < bars.size(); ++k) {
    double y = kTop + kRow * static_cast<double>(k), width = most > 0 ? bars[k].value / most * kBar : 0;
    out += "<text text-anchor=\"end\" x=\"" + number(label - 8) + "\" y=\"" + number(y + 12) + "\">" + xml_text(bars[k].label) +
           "</text><rect x=\"" + number(label) + "\" y=\"" + number(y) + "\" width=\"" + number(std::max(1.0, width)) +
           "\" height=\"16\" rx=\"2\" fill=\"" + xml_text(bars[k].colour) + "\"/><text x=\"" + number(label + width + 7) +
           "\" y=\"" + number(y + 12) + "\">" + number_text(bars[k].value) + "</text>\n";
  }
  return out + "</svg>\n";
}

}  // namespace autoray::ir::picture
