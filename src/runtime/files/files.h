// numpy's functions that read and write files: load, save, savez, savez_compressed, loadtxt, savetxt.
#pragma once

#include <span>

#include "runtime/backend.h"

namespace autoray::runtime {

std::span<const HostRow> file_hosts();

}  // namespace autoray::runtime
