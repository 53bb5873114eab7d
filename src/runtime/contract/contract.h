// Kernels of products. Each is written once over a ProductFunction (product.h); a backend makes its rows with its own.
#pragma once

#include <array>

#include "runtime/backend.h"
#include "runtime/contract/pair.h"
#include "runtime/contract/product.h"

namespace autoray::runtime {

// The product of two factors; --explain is told who multiplied (small and integer products are our own loops'). `place`: as
// multiply_pair's.
Array multiplied(KernelCall& call, ProductFunction product, const Factor& a, const Factor& b, ir::DType dtype,
                 const Array* place = nullptr);

void matmul(KernelCall& call, ProductFunction product);
void dot(KernelCall& call, ProductFunction product);
void inner(KernelCall& call, ProductFunction product);
void vdot(KernelCall& call, ProductFunction product);
void tensordot(KernelCall& call, ProductFunction product);
// Three operands or more are multiplied in pairs: cheapest first, or as optimize= says (ir/rules/einsum_path.h).
void einsum(KernelCall& call, ProductFunction product);

std::span<const KernelRow> contract_kernels();

// The rows of a backend whose products `product` computes.
template <void (*body)(KernelCall&, ProductFunction), ProductFunction product>
void product_kernel(KernelCall& call) {
  body(call, product);
}
template <ProductFunction product>
constexpr auto product_rows(const char* library) {
  return std::to_array<KernelRow>({
      {ir::OpId::Matmul, product_kernel<matmul, product>, library},
      {ir::OpId::Dot, product_kernel<dot, product>, library},
      {ir::OpId::Inner, product_kernel<inner, product>, library},
      {ir::OpId::Vdot, product_kernel<vdot, product>, library},
      {ir::OpId::Tensordot, product_kernel<tensordot, product>, library},
      {ir::OpId::LinalgMatmul, product_kernel<matmul, product>, library},
      {ir::OpId::LinalgTensordot, product_kernel<tensordot, product>, library},
      {ir::OpId::Einsum, product_kernel<einsum, product>, library},
  });
}

}  // namespace autoray::runtime
