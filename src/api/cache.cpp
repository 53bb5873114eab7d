#include "autoray/cache.h"

#include "codegen/kernel_cache.h"

namespace autoray {

std::string kernel_cache_directory() { return codegen::KernelCache().directory(); }

std::vector<CachedKernel> cached_kernels(bool verify) {
  std::vector<CachedKernel> list;
  for (codegen::CachedKernel& k : codegen::KernelCache().list(verify))
    list.push_back({std::move(k.name), k.bytes, k.used, std::move(k.wrong)});
  return list;
}

std::size_t clear_kernel_cache(bool wrong_alone) { return codegen::KernelCache().clear(wrong_alone); }

}  // namespace autoray
