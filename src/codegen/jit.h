// From kernels to functions of this process, by LLVM's ORC. A kernel that was compiled before is found by its text: in this
// process, or in the cache on disk, whose objects are linked without LLVM's passes or target being there. Code lives as long as
// somebody holds it. LLVM is initialised at first use.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "codegen/context.h"
#include "codegen/kernel.h"
#include "codegen/kernel_cache.h"

namespace autoray::codegen {

// The machine code of one kernel.
class Code;

struct CompiledKernel {
  KernelFunction function = nullptr;
  std::shared_ptr<Code> code;
};

struct JitOptions {
  bool check_bounds = false;
  std::string cache = {};  // the directory of the cache on disk; see KernelCache
};

// Where a call's kernels came from.
struct CompileCounts {
  std::size_t compiled = 0, cached = 0;  // the others were in the process
};

class Jit {
 public:
  explicit Jit(const JitOptions& options = {});
  ~Jit();
  Jit(const Jit&) = delete;

  // By number of `kernels`. Throws ir::Error SystemError when LLVM refuses one, which would be a defect of ours.
  std::vector<CompiledKernel> compile(std::span<const Kernel* const> kernels, CompileCounts& counts);
  // LLVM's text for these kernels, after the passes; for people.
  std::string llvm_text(std::span<const Kernel* const> kernels);

  bool checks_bounds() const { return options_.check_bounds; }
  const KernelCache& cache() const { return cache_; }

 private:
  friend class Code;
  struct Machine;
  Machine& machine();
  CompiledKernel link(std::string_view object);
  std::string compile(const Kernel& kernel);

  JitOptions options_;
  KernelCache cache_;
  std::optional<std::string> machine_text_;  // what its keys begin with
  std::mutex mutex_;
  std::shared_ptr<Machine> machine_;
  struct Known {
    KernelFunction function;
    std::weak_ptr<Code> code;
  };
  std::unordered_map<std::string, Known> known_;
  std::size_t sweep_at_ = 256;
  std::uint64_t linked_ = 0;
};

}  // namespace autoray::codegen
