// Pictures of recorded graphs: what y.plot() and `autoray graph` write. Nothing is computed; costs a traversal of what the
// roots need, once more for the passes where a format shows their result.
#pragma once

#include <string>

#include "ir/picture/picture.h"
#include "runtime/lazy/recorder.h"

namespace autoray::runtime {

enum class DrawingFormat { Text, Dot, Svg, Html, Json, Table, TableJson };
// "g.svg", "svg"; nullopt for another ending.
std::optional<DrawingFormat> drawing_format(std::string_view name);

struct DrawingOptions {
  std::string title;
  bool optimised = false;  // after all passes; the page has both
  ir::picture::Style style;
};
std::string draw(Recorder& recorder, std::span<const ir::NodeId> roots, DrawingFormat format, const DrawingOptions& options);

}  // namespace autoray::runtime
