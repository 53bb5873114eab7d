// numpy.histogram: counts of items in bins that are given as a number, by name of an estimator, or by their edges.
#pragma once

#include "runtime/backend.h"

namespace autoray::runtime {

std::span<const HostRow> histogram_hosts();

}  // namespace autoray::runtime
