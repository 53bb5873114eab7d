// Compiled kernels that stay on disk for the next process. Engines use them by themselves (EngineOptions::kernel_cache); these
// functions are for looking at them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "autoray/export.h"

namespace autoray {

struct CachedKernel {
  std::string name;  // of its file
  std::int64_t bytes = 0;
  double used = 0;    // when it was used last: seconds since 1970
  std::string wrong;  // why it is no entry (it will be compiled anew); empty: it is one
};

// $AUTORAY_CACHE_DIR, else $XDG_CACHE_HOME/autoray, else ~/.cache/autoray; empty: there is none (AUTORAY_CACHE=off).
AUTORAY_API std::string kernel_cache_directory();
// What was used last comes first. `verify`: each file is read and its checksum compared. Costs some microseconds a file.
AUTORAY_API std::vector<CachedKernel> cached_kernels(bool verify = false);
// Removes all, or those alone that are wrong; how many went.
AUTORAY_API std::size_t clear_kernel_cache(bool wrong_alone = false);

}  // namespace autoray
