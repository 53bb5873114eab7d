// The machine that an object is for, and what LLVM makes of a function for it. Compiling costs a few milliseconds a kernel; no
// process is started and nothing is written outside a temporary folder of the linker's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "codegen/object/function.h"

namespace llvm {
class LLVMContext;
class Module;
class TargetMachine;
}  // namespace llvm

namespace autoray::codegen::object {

struct Machine {
  std::string triple, cpu, features;  // as LLVM names them
  std::string level;                  // as the user named it
  int vector_bytes = 16;
};

// `cpu`: "native", "x86-64-v2", "x86-64-v3", "x86-64-v4", or another name that LLVM knows. `triple`: empty, or the host's.
// Throws ir::Error ValueError with a hint for others.
Machine find_machine(const std::string& cpu, const std::string& triple);
std::vector<std::string> cpu_names();  // those that are documented

// The kernels and the entry, before passes.
std::unique_ptr<llvm::Module> make_module(const Function& function, llvm::LLVMContext& context, llvm::TargetMachine& target,
                                          const Machine& machine);

std::string llvm_text(const Function& function, const Machine& machine);
std::string assembly(const Function& function, const Machine& machine);
std::string object_code(const Function& function, const Machine& machine);
std::string archive(const Function& function, const Machine& machine);
// With libm, libmvec and libc of this system as the libraries it needs, as far as it does.
std::string shared_library(const Function& function, const Machine& machine);
// Whether libc or libm has a function of that name, which an object's would take the place of in a whole program.
bool is_library_function(const std::string& name);
// The symbols that an object leaves to libc and libm, sorted.
std::vector<std::string> undefined_symbols(const std::string& object);

}  // namespace autoray::codegen::object
