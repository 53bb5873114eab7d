// The graph of a function that was traced: looked at, not computed.
#pragma once

#include <memory>
#include <string>

#include "autoray/export.h"

namespace autoray {

namespace detail {
struct GraphState;
}

enum class GraphFormat {
  Text,            // a line a node
  Dot,             // Graphviz's language
  Svg,             // a drawing; large graphs by source lines
  Html,            // one page that needs nothing else: the graph before and after the passes beside its source
  Json,            // docs/graphs.md describes it
  Statistics,      // a table: totals, operations, the most expensive nodes
  StatisticsJson,  // the same as JSON
};

struct GraphView {
  bool optimised = false;            // after all passes instead of as recorded; a page has both
  std::string colour = "operation";  // or "flops", "bytes", "memory"
};

class AUTORAY_API Graph {
 public:
  std::size_t size() const;  // nodes, as recorded
  // The same text for the same program. Throws Error (status 2) for an unknown colour.
  std::string write(GraphFormat format, const GraphView& view = {}) const;

 private:
  friend class Program;
  std::shared_ptr<detail::GraphState> state_;
};

}  // namespace autoray
