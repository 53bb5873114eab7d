// What `autoray bench` measured, as a table, as JSON and as a plot.
#pragma once

#include <string>
#include <vector>

namespace autoray::tools {

// One function on one executor.
struct Measured {
  std::string function, executor;
  std::string refused;             // why the executor does not run it; empty: it does
  std::string note;                // what it was compiled to
  double compile_seconds = 0;      // tracing included
  std::vector<double> times = {};  // seconds, by call; sorted for the report
  double ratio = 0;                // of the medians, to eager's

  double quantile(double part) const { return times[static_cast<std::size_t>(part * static_cast<double>(times.size() - 1))]; }
  double median() const { return quantile(0.5); }
};

std::string bench_table(const std::vector<Measured>& rows);
std::string bench_json(const std::string& script, const std::string& backend, const std::vector<Measured>& rows);
std::string bench_svg(const std::string& title, const std::vector<Measured>& rows);

}  // namespace autoray::tools
