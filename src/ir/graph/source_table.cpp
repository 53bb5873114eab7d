#include "ir/graph/source_table.h"

namespace autoray::ir {

SourceId SourceTable::intern(const SourcePlace& place) {
  auto [found, fresh] = ids_.try_emplace(place, static_cast<SourceId>(places_.size()));
  if (fresh) places_.push_back(place);
  return found->second;
}

}  // namespace autoray::ir
