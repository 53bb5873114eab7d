// From kernels to functions of this process, by LLVM's ORC. New kernels of one call go into one module; a kernel that was
// compiled before is found by its text. Code lives as long as somebody holds it. LLVM is initialised at first use.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "codegen/context.h"
#include "codegen/kernel.h"

namespace autoray::codegen {

// The machine code of one module.
class Code;

struct CompiledKernel {
  KernelFunction function = nullptr;
  std::shared_ptr<Code> code;
};

struct JitOptions {
  bool check_bounds = false;
};

class Jit {
 public:
  explicit Jit(const JitOptions& options = {});
  ~Jit();
  Jit(const Jit&) = delete;

  // By number of `kernels`; `fresh` (when not null) is told how many had to be compiled. Throws ir::Error SystemError when LLVM
  // refuses the module, which would be a defect of ours.
  std::vector<CompiledKernel> compile(std::span<const Kernel* const> kernels, std::size_t* fresh = nullptr);
  // LLVM's text for these kernels, after the passes; for people.
  std::string llvm_text(std::span<const Kernel* const> kernels);

  bool checks_bounds() const { return options_.check_bounds; }

 private:
  friend class Code;
  struct Machine;
  Machine& machine();

  JitOptions options_;
  std::mutex mutex_;
  std::shared_ptr<Machine> machine_;
  struct Known {
    KernelFunction function;
    std::weak_ptr<Code> code;
  };
  std::unordered_map<std::string, Known> known_;
  std::size_t sweep_at_ = 256;
  std::uint64_t modules_ = 0;
};

}  // namespace autoray::codegen
