#include "runtime/lazy/drawing.h"

#include <complex>

#include "runtime/lazy/executor.h"
#include "runtime/printing.h"

namespace autoray::runtime {
namespace {

using ir::NodeId;
using ir::picture::Picture;

std::string scalar_text(const Array& array, ir::Kind kind) {
  if (kind != ir::Kind::Weak) return scalar_repr(array.dtype, array.data);
  if (array.dtype == ir::DType::Float64) return float_repr(*reinterpret_cast<const double*>(array.data));
  return scalar_str(array.dtype, array.data);
}

struct Stage {
  ir::Block block;
  ir::LargeVector<NodeId> arguments;
  std::optional<Picture> picture;
};

void show(Recorder& recorder, Stage& stage, std::string title, std::string name) {
  ir::picture::PictureOptions options{std::move(title), std::move(name), {}};
  options.literal = [&recorder, &stage](ir::Index argument) -> std::string {
    ir::NodeId node = stage.arguments[argument];
    if (recorder.graph().node(node).kind != ir::NodeKind::Leaf && recorder.graph().node(node).kind != ir::NodeKind::Constant)
      return {};
    const Array array = recorder.array(node);
    return array.shape.empty() ? scalar_text(array, recorder.graph().type(node).kind) : std::string();
  };
  stage.picture.emplace(stage.block, std::move(options));
}

Stage recorded(Recorder& recorder, std::span<const NodeId> roots) {
  ir::LargeVector<NodeId> arguments;
  ir::Block block = ir::extract(recorder.graph(), roots, arguments);
  return {std::move(block), std::move(arguments), {}};
}
Stage optimised(Recorder& recorder, std::span<const NodeId> roots) {
  Prepared prepared = prepare(recorder, roots);
  return {std::move(prepared.plan.block), std::move(prepared.arguments), {}};
}

}  // namespace

std::optional<DrawingFormat> drawing_format(std::string_view name) {
  std::size_t dot = name.rfind('.');
  std::string_view ending = dot == std::string_view::npos ? name : name.substr(dot + 1);
  struct Row {
    std::string_view ending;
    DrawingFormat format;
  };
  static constexpr Row kRows[] = {{"txt", DrawingFormat::Text}, {"text", DrawingFormat::Text}, {"dot", DrawingFormat::Dot},
                                  {"gv", DrawingFormat::Dot},   {"svg", DrawingFormat::Svg},   {"html", DrawingFormat::Html},
                                  {"htm", DrawingFormat::Html}, {"json", DrawingFormat::Json}};
  for (const Row& row : kRows)
    if (row.ending == ending) return row.format;
  return std::nullopt;
}

std::string draw(Recorder& recorder, std::span<const NodeId> roots, DrawingFormat format, const DrawingOptions& options) {
  // A page has both stages: recorded first.
  const bool page = format == DrawingFormat::Html;
  Stage first = options.optimised && !page ? optimised(recorder, roots) : recorded(recorder, roots);
  show(recorder, first, options.title, options.optimised && !page ? "after passes" : "recorded");
  const Picture& picture = *first.picture;
  switch (format) {
    case DrawingFormat::Text: return to_text(picture);
    case DrawingFormat::Dot: return to_dot(picture, options.style);
    case DrawingFormat::Svg: return to_svg(picture, options.style);
    case DrawingFormat::Json: return to_json(picture);
    case DrawingFormat::Table: return to_table(picture);
    case DrawingFormat::TableJson: return to_table_json(picture);
    case DrawingFormat::Html: break;
  }
  Stage second = optimised(recorder, roots);
  show(recorder, second, options.title, "after passes");
  const Picture* stages[] = {&picture, &*second.picture};
  return to_html(stages, options.style);
}

}  // namespace autoray::runtime
