// OpenBLAS (BLAS and LAPACK in one library), found with dlopen at first use: a program that multiplies nothing large does not
// pay the 5 ms of loading it, and the binary needs libc and libm alone to start. Dimensions are 32-bit, complex numbers pairs.
#pragma once

#include <string>

namespace autoray::runtime {

class Blas {
 public:
  // The library of this process, loaded by the first call; null where there is none: `why()` then says why.
  // dlopen keeps one copy a process, so this is as constant as the library itself.
  static const Blas* get();
  static const std::string& why();

  // A symbol by its Fortran or C name ("dgesdd_", "cblas_dgemm"); null when the library lacks it.
  void* symbol(const char* name) const;
  // Throws NotImplementedError naming the function when the library lacks it.
  template <class Function>
  Function* function(const char* name) const {
    return reinterpret_cast<Function*>(required(name));
  }

  // CBLAS's row-major products: C = A B with leading dimensions in elements; `ta`, `tb`: 111 as is, 112 transposed.
  using Sgemm = void(int order, int ta, int tb, int m, int n, int k, float alpha, const float* a, int lda, const float* b,
                     int ldb, float beta, float* c, int ldc);
  using Dgemm = void(int order, int ta, int tb, int m, int n, int k, double alpha, const double* a, int lda, const double* b,
                     int ldb, double beta, double* c, int ldc);
  using Xgemm = void(int order, int ta, int tb, int m, int n, int k, const void* alpha, const void* a, int lda, const void* b,
                     int ldb, const void* beta, void* c, int ldc);
  Sgemm* sgemm = nullptr;
  Dgemm* dgemm = nullptr;
  Xgemm* cgemm = nullptr;
  Xgemm* zgemm = nullptr;

 private:
  Blas() = default;
  void* required(const char* name) const;
  void* library_ = nullptr;
};

}  // namespace autoray::runtime
