// Shared objects by lld as a library: no process is started.
#include <dlfcn.h>
#include <link.h>
#include <lld/Common/Driver.h>
#include <llvm/Passes/PassPlugin.h>
#include <llvm/Support/raw_ostream.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>

#include "codegen/object/machine.h"
#include "ir/error.h"

LLD_HAS_DRIVER(elf)

// lld is ready for link-time optimisation for every target of LLVM. What it links here is machine code, so the targets beyond
// this program's own, and Polly, stay outside the program.
#define AUTORAY_NO_TARGET(T)              \
  void LLVMInitialize##T##TargetInfo() {} \
  void LLVMInitialize##T##Target() {}     \
  void LLVMInitialize##T##TargetMC() {}   \
  void LLVMInitialize##T##AsmPrinter() {} \
  void LLVMInitialize##T##AsmParser() {}
// clang-format off
#define AUTORAY_UNUSED_TARGETS(T) \
  T(AArch64) T(AMDGPU) T(ARM) T(AVR) T(BPF) T(Hexagon) T(Lanai) \
  T(LoongArch) T(M68k) T(MSP430) T(Mips) T(NVPTX) T(PowerPC) T(RISCV) \
  T(Sparc) T(SystemZ) T(VE) T(WebAssembly) T(XCore) T(Xtensa)
// clang-format on
extern "C" {
AUTORAY_UNUSED_TARGETS(AUTORAY_NO_TARGET)
}
llvm::PassPluginLibraryInfo getPollyPluginInfo();
llvm::PassPluginLibraryInfo getPollyPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "none", "", [](llvm::PassBuilder&) {}};
}

namespace autoray::codegen::object {
namespace {

// A folder that goes with its contents.
struct TemporaryFolder {
  TemporaryFolder() {
    std::error_code problem;
    std::string pattern = (std::filesystem::temp_directory_path(problem) / "autoray-XXXXXX").string();
    if (problem || !mkdtemp(pattern.data()))
      throw ir::Error(ir::ErrorClass::OSError,
                      "cannot make a temporary folder: " + (problem ? problem.message() : std::string(std::strerror(errno))));
    path = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  std::filesystem::path path;
};

// lld has one link at a time.
std::mutex& lld_mutex() {
  static std::mutex mutex;
  return mutex;
}

// Where the system has a library: asked of the loader, which knows.
std::string library_path(const char* name) {
  void* library = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
  if (!library) return {};
  link_map* map = nullptr;
  std::string path = dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 && map ? map->l_name : "";
  dlclose(library);
  return path;
}

}  // namespace

bool is_library_function(const std::string& name) {
  for (const char* library : {"libc.so.6", "libm.so.6"})
    if (void* handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL)) {
      bool found = dlsym(handle, name.c_str()) != nullptr;
      dlclose(handle);
      if (found) return true;
    }
  return false;
}

std::string shared_library(const Function& function, const Machine& machine) {
  TemporaryFolder folder;
  std::string object = (folder.path / "function.o").string(), library = (folder.path / "function.so").string();
  std::string code = object_code(function, machine);
  if (std::ofstream file(object, std::ios::binary); !file.write(code.data(), static_cast<std::streamsize>(code.size())).flush())
    throw ir::Error(ir::ErrorClass::OSError, "cannot write '" + object + "': " + std::strerror(errno));
  std::vector<std::string> arguments = {"ld.lld", "-shared", "--no-undefined", "-z",   "noexecstack", "-z",
                                        "relro",  "-o",      library,          object, "--as-needed"};
  for (const char* name : {"libc.so.6", "libm.so.6", "libmvec.so.1"})
    if (std::string path = library_path(name); !path.empty()) arguments.push_back(path);
  std::vector<const char*> pointers;
  for (const std::string& a : arguments) pointers.push_back(a.c_str());
  std::string said;
  llvm::raw_string_ostream stream(said);
  const lld::DriverDef drivers[] = {{lld::Gnu, &lld::elf::link}};
  std::lock_guard lock(lld_mutex());
  if (lld::lldMain(pointers, stream, stream, drivers).retCode != 0)
    throw ir::Error(ir::ErrorClass::SystemError, "code generation: the linker says: " + said);
  std::ifstream file(library, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace autoray::codegen::object
