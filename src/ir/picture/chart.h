// Small charts as SVG: values over the steps of a computation, and bars by function. One visit a value; long series are drawn
// by the highest value of each run of steps.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace autoray::ir::picture {

enum class Mark { Area, Points, Lines };

struct Series {
  std::string title, unit;  // "memory after each step", "elements"
  std::vector<double> values;
  std::vector<std::string> colours;  // one a value; one for all when it has one
  Mark mark = Mark::Area;
  double log = 0;  // the base of a logarithmic axis; 0: linear
};
std::string series_svg(const Series& series);

struct Bar {
  std::string label, colour;
  double value = 0;
};
std::string bars_svg(std::string_view title, const std::vector<Bar>& bars);

}  // namespace autoray::ir::picture
