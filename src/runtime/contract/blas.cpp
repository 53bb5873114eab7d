#include "runtime/contract/blas.h"

#include <dlfcn.h>

#include <cstdlib>

#include "ir/error.h"

namespace autoray::runtime {
namespace {

struct Loaded {
  void* handle = nullptr;
  std::string why;
};

// OpenBLAS falls back to SSE kernels on processors younger than itself: it is told the family by what the processor can do,
// unless the user chose one.
class CoreType {
 public:
  CoreType() {
    if (std::getenv(kName)) return;
    const char* core = nullptr;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
      core = "SkylakeX";
    else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      core = "Haswell";
    set_ = core && setenv(kName, core, 0) == 0;
  }
  ~CoreType() {
    if (set_) unsetenv(kName);
  }

 private:
  static constexpr const char* kName = "OPENBLAS_CORETYPE";
  bool set_ = false;
};

const Loaded& loaded() {
  static const Loaded result = [] {
    Loaded l;
    CoreType core_type;
    for (const char* name : {"libopenblas.so.0", "libopenblas.so"}) {
      l.handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
      if (l.handle) return l;
      if (l.why.empty()) l.why = dlerror();
    }
    return l;
  }();
  return result;
}

}  // namespace

const Blas* Blas::get() {
  static const Blas* const blas = []() -> const Blas* {
    void* handle = loaded().handle;
    if (!handle) return nullptr;
    static Blas b;
    b.library_ = handle;
    b.sgemm = b.function<Sgemm>("cblas_sgemm");
    b.dgemm = b.function<Dgemm>("cblas_dgemm");
    b.cgemm = b.function<Xgemm>("cblas_cgemm");
    b.zgemm = b.function<Xgemm>("cblas_zgemm");
    return &b;
  }();
  return blas;
}

const std::string& Blas::why() { return loaded().why; }

void* Blas::symbol(const char* name) const { return dlsym(library_, name); }

void* Blas::required(const char* name) const {
  if (void* found = symbol(name)) return found;
  throw ir::Error(ir::ErrorClass::NotImplementedError, std::string("this OpenBLAS has no ") + name).with_code(502);
}

}  // namespace autoray::runtime
