#include "frontend/types/lazy_plot.h"

#include <algorithm>

#include "frontend/types/lazy_type.h"
#include "frontend/types/type_object.h"
#include "ir/picture/chart.h"
#include "runtime/files/file_io.h"
#include "runtime/lazy/drawing.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using ir::NodeId;
using runtime::DrawingFormat;
using runtime::LazyArray;

namespace {

const Value* argument(const Arguments& a, std::string_view name) {
  const Value* given = keyword(a, name);
  return given && !given->is_none() ? given : nullptr;
}
// The one argument that may stand in position: where to.
const Value* file_of(const Arguments& a, std::string_view method) {
  if (a.positional.size() > 1)
    throw Error(ErrorClass::TypeError,
                std::string(method) + "() takes one positional argument, the file; the others go by name");
  const Value* file = a.positional.empty() ? keyword(a, "file") : &a.positional[0];
  return file && !file->is_none() ? file : nullptr;
}
void write(Runtime& runtime, const std::string& path, std::string_view text) {
  if (path == "-") {
    runtime.write_stdout(text);
    return;
  }
  runtime::AtomicFile file(path);
  file.write(text);
  file.commit();
}

// "#rrggbb", a name that SVG knows, or the three floats of matplotlib.
std::string colour_text(const Value& v) {
  if (auto* text = v.get_if<runtime::Str>()) return text->text;
  const std::vector<Value>* parts = nullptr;
  if (auto* tuple = v.get_if<runtime::Tuple>()) parts = &tuple->items;
  if (auto* list = v.get_if<runtime::List>()) parts = &list->items;
  if (!parts || parts->size() < 3 || parts->size() > 4)
    throw Error(ErrorClass::ValueError, "a colour is a text such as '#4060c0' or three numbers from 0 to 1");
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "#";
  for (std::size_t k = 0; k < 3; ++k) {
    int byte = static_cast<int>(std::clamp(real_of((*parts)[k]), 0.0, 1.0) * 255 + 0.5);
    text += kDigits[byte / 16];
    text += kDigits[byte % 16];
  }
  return text;
}
std::vector<std::pair<std::string, std::string>> colours_of(const Arguments& a) {
  std::vector<std::pair<std::string, std::string>> colours;
  const Value* given = argument(a, "colors");
  if (!given) return colours;
  auto* dict = given->get_if<runtime::Dict>();
  if (!dict) throw Error(ErrorClass::TypeError, "colors must be a dict of functions' names and colours");
  for (const auto& entry : dict->entries())
    colours.emplace_back(runtime::text_of(entry.key, "a function's name"), colour_text(entry.value));
  return colours;
}

std::string title_of(const LazyArray& lazy) {
  ir::Graph& graph = lazy.recorder->graph();
  const ir::Node& node = graph.node(lazy.node());
  std::string_view name = graph.tables().names.text(node.name);
  return std::string(name.empty() ? ir::label(node) : name);
}

Value plot(Runtime& runtime, const Value& self, const Arguments& a) {
  check_keywords(a, "plot", {"file", "format", "color_by", "colors", "show_labels", "passes"});
  auto& lazy = self.as<LazyArray>();
  const Value *file = file_of(a, "plot"), *format_value = argument(a, "format"), *by = argument(a, "color_by"),
              *labels = argument(a, "show_labels"), *passes = argument(a, "passes");
  // Without a file there is no window to show: the graph's text is printed.
  std::string path = file ? runtime::text_of(*file, "the file's name") : "-";
  std::string format_name = format_value ? runtime::text_of(*format_value, "format") : path == "-" ? "text" : path;
  auto format = runtime::drawing_format(format_name);
  if (!format)
    throw Error(ErrorClass::ValueError, "'" + format_name + "' is no format of pictures")
        .with_hint("a file that ends in .dot, .svg, .html, .json or .txt, or format='svg'");
  runtime::DrawingOptions options;
  options.title = title_of(lazy);
  options.optimised = passes && truth(runtime, *passes);
  if (by) {
    const std::string& name = runtime::text_of(*by, "color_by");
    auto colouring = ir::picture::find_colouring(name);
    if (!colouring)
      throw Error(ErrorClass::ValueError, "color_by must be 'function', 'flops', 'bytes' or 'memory', not '" + name + "'");
    options.style.colouring = *colouring;
  }
  options.style.labels = !labels || truth(runtime, *labels);
  options.style.colours = colours_of(a);
  const NodeId roots[] = {lazy.node()};
  write(runtime, path, runtime::draw(*lazy.recorder, roots, *format, options));
  return Value::none();
}

// ---- charts ----

std::string chart_path(const Arguments& a, std::string_view method) {
  const Value* file = file_of(a, method);
  if (!file)
    throw Error(ErrorClass::TypeError, std::string(method) + "() needs a file to write").with_hint("a name that ends in .svg");
  const std::string& path = runtime::text_of(*file, "the file's name");
  if (path != "-" && !path.ends_with(".svg"))
    throw Error(ErrorClass::ValueError, "charts are SVG: '" + path + "' does not end in .svg");
  return path;
}
double base_of(const Arguments& a) {
  const Value* log = argument(a, "log");
  double base = log ? real_of(*log) : 0;
  if (log && !(base > 1)) throw Error(ErrorClass::ValueError, "log is the base of a logarithm: a number above 1");
  return base;
}
std::string colour_of(const LazyArray& lazy, NodeId id, const std::vector<std::pair<std::string, std::string>>& chosen) {
  const ir::Node& node = lazy.recorder->graph().node(id);
  for (const auto& [label, colour] : chosen)
    if (label == ir::label(node)) return colour;
  return ir::picture::label_colour(ir::label(node), node.kind, node.op);
}

Value plot_history_size_footprint(Runtime& runtime, const Value& self, const Arguments& a) {
  constexpr std::string_view kName = "plot_history_size_footprint";
  check_keywords(a, kName, {"file", "log", "color"});
  std::string path = chart_path(a, kName);
  ir::picture::Series series;
  series.title = title_of(self.as<LazyArray>()) + ": elements alive after each step";
  series.unit = "elements";
  series.log = base_of(a);
  Value sizes;
  lazy_method(runtime, self, "history_size_footprint", {}, sizes);
  for (const Value& v : sizes.as<runtime::List>().items) series.values.push_back(static_cast<double>(v.as_int()));
  const Value* colour = argument(a, "color");
  series.colours = {colour ? colour_text(*colour) : "#7a4fb5"};
  write(runtime, path, ir::picture::series_svg(series));
  return Value::none();
}

Value history_functions(Runtime& runtime, const Value& self, const Arguments& a, std::string_view name,
                        std::string_view fixed) {
  check_keywords(a, name, {"file", "fn", "log", "colors", "kind"});
  std::string path = chart_path(a, name);
  auto& lazy = self.as<LazyArray>();
  const Value *kind_value = argument(a, "kind"), *fn = argument(a, "fn");
  std::string kind(!fixed.empty() ? fixed : kind_value ? std::string_view(runtime::text_of(*kind_value, "kind")) : "scatter");
  if (kind != "scatter" && kind != "lines" && kind != "image")
    throw Error(ErrorClass::ValueError, "kind must be 'scatter', 'lines' or 'image'");
  auto chosen = colours_of(a);
  ir::picture::Series series;
  series.title = title_of(lazy) + (fn ? ": a value of each node" : ": elements of each node");
  series.unit = fn ? "custom" : "elements";
  series.mark = kind == "scatter" ? ir::picture::Mark::Points : ir::picture::Mark::Lines;
  series.log = base_of(a);
  ir::Graph& graph = lazy.recorder->graph();
  const NodeId roots[] = {lazy.node()};
  for (NodeId id : graph.ascend(roots)) {
    double value = static_cast<double>(ir::element_count(graph.type(id).shape));
    if (fn) {
      graph.retain(id);
      Value node = lazy.recorder->wrap(id);
      value = real_of(call(runtime, *fn, {std::span(&node, 1), {}, {}}));
    }
    series.values.push_back(value);
    series.colours.push_back(colour_of(lazy, id, chosen));
  }
  write(runtime, path, ir::picture::series_svg(series));
  return Value::none();
}
Value plot_history_functions(Runtime& r, const Value& self, const Arguments& a) {
  return history_functions(r, self, a, "plot_history_functions", "");
}
Value plot_history_functions_scatter(Runtime& r, const Value& self, const Arguments& a) {
  return history_functions(r, self, a, "plot_history_functions_scatter", "scatter");
}
Value plot_history_functions_lines(Runtime& r, const Value& self, const Arguments& a) {
  return history_functions(r, self, a, "plot_history_functions_lines", "lines");
}
Value plot_history_functions_image(Runtime& r, const Value& self, const Arguments& a) {
  return history_functions(r, self, a, "plot_history_functions_image", "image");
}

Value history_stats(Runtime& runtime, const Value& self, const Arguments& a, std::string_view name, std::string_view fixed) {
  check_keywords(a, name, {"file", "fn", "colors"});
  std::string path = chart_path(a, name);
  auto& lazy = self.as<LazyArray>();
  const Value* fn = argument(a, "fn");
  Value what = !fixed.empty() ? runtime::make_str(std::string(fixed)) : fn ? *fn : runtime::make_str("count");
  Value stats;
  lazy_method(runtime, self, "history_stats", {std::span(&what, 1), {}, {}}, stats);
  auto chosen = colours_of(a);
  ir::Graph& graph = lazy.recorder->graph();
  const NodeId roots[] = {lazy.node()};
  std::vector<std::pair<std::string, std::string>> colours;
  for (NodeId id : graph.ascend(roots)) {
    std::string label(ir::label(graph.node(id)));
    if (std::none_of(colours.begin(), colours.end(), [&](const auto& c) { return c.first == label; }))
      colours.emplace_back(label, colour_of(lazy, id, chosen));
  }
  std::vector<ir::picture::Bar> bars;
  for (const auto& entry : stats.as<runtime::Dict>().entries()) {
    const std::string& label = runtime::text_of(entry.key, "a function's name");
    auto found = std::find_if(colours.begin(), colours.end(), [&](const auto& c) { return c.first == label; });
    bars.push_back({label, found == colours.end() ? "#8a94a3" : found->second, real_of(entry.value)});
  }
  std::stable_sort(bars.begin(), bars.end(), [](const auto& x, const auto& y) { return x.value > y.value; });
  auto* text = what.get_if<runtime::Str>();
  write(runtime, path, ir::picture::bars_svg(title_of(lazy) + ": " + (text ? text->text : "a value") + " by function", bars));
  return Value::none();
}
Value plot_history_stats(Runtime& r, const Value& self, const Arguments& a) {
  return history_stats(r, self, a, "plot_history_stats", "");
}
Value plot_history_stats_counts(Runtime& r, const Value& self, const Arguments& a) {
  return history_stats(r, self, a, "plot_history_stats_counts", "count");
}
Value plot_history_stats_sizein(Runtime& r, const Value& self, const Arguments& a) {
  return history_stats(r, self, a, "plot_history_stats_sizein", "sizein");
}

constexpr PlotMethod kMethods[] = {{"plot", plot},
                                   {"plot_graph", plot},
                                   {"plot_circuit", plot},
                                   {"plot_history_size_footprint", plot_history_size_footprint},
                                   {"plot_history_functions", plot_history_functions},
                                   {"plot_history_functions_scatter", plot_history_functions_scatter},
                                   {"plot_history_functions_lines", plot_history_functions_lines},
                                   {"plot_history_functions_image", plot_history_functions_image},
                                   {"plot_history_stats", plot_history_stats},
                                   {"plot_history_stats_counts", plot_history_stats_counts},
                                   {"plot_history_stats_sizein", plot_history_stats_sizein}};

}  // namespace

std::span<const PlotMethod> plot_methods() { return kMethods; }

}  // namespace autoray::frontend
