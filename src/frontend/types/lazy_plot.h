// y.plot(file) and its kin: pictures of a lazy array's graph and charts of its history, under the reference's names. The
// reference draws with matplotlib; here the file's name says what is written.
#pragma once

#include <span>

#include "frontend/protocol.h"

namespace autoray::frontend {

struct PlotMethod {
  std::string_view name;
  Value (*method)(Runtime&, const Value& self, const Arguments&);
};
std::span<const PlotMethod> plot_methods();

}  // namespace autoray::frontend
