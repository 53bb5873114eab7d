#include "autoray/dlpack.h"

#include <gtest/gtest.h>

#include "autoray/diagnostic.h"

using autoray::Array;
namespace dlpack = autoray::dlpack;

TEST(Dlpack, ArraysGoOutAndComeBackWithoutACopy) {
  bool released = false;
  double items[6] = {1, 2, 3, 4, 5, 6};
  {
    dlpack::ManagedTensor* tensor;
    {
      Array array = Array::view(items, "float64", {2, 3}, {8, 16}, true, [&] { released = true; });
      tensor = dlpack::from_array(array);
    }
    EXPECT_FALSE(released);
    EXPECT_EQ(tensor->tensor.data, items);
    EXPECT_EQ(tensor->tensor.dtype.code, 2);
    EXPECT_EQ(tensor->tensor.dtype.bits, 64);
    EXPECT_EQ(tensor->tensor.strides[1], 2);
    Array back = dlpack::to_array(tensor);
    EXPECT_EQ(back.data(), items);
    EXPECT_EQ(back.dtype(), "float64");
    EXPECT_EQ(back.shape(), (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(back.strides(), (std::vector<std::int64_t>{8, 16}));
    EXPECT_FALSE(released);
  }
  EXPECT_TRUE(released);
}

TEST(Dlpack, EveryDtypeComesBack) {
  for (const char* dtype : {"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16",
                            "float32", "float64", "complex64", "complex128"})
    EXPECT_EQ(dlpack::to_array(dlpack::from_array(Array::make(dtype, {2}))).dtype(), dtype);
}

TEST(Dlpack, WhatDoesNotFitIsRefusedAndGivenBack) {
  static int deleted = 0;
  deleted = 0;
  std::int64_t shape[] = {2};
  float items[2] = {};
  auto tensor = [&](dlpack::Device device, dlpack::DataType type) {
    return dlpack::ManagedTensor{
        {items, device, 1, type, shape, nullptr, 0}, nullptr, [](dlpack::ManagedTensor*) { ++deleted; }};
  };
  dlpack::ManagedTensor gpu = tensor({2, 0}, {2, 32, 1}), lanes = tensor({1, 0}, {2, 32, 4}),
                        bfloat = tensor({1, 0}, {4, 16, 1});
  for (dlpack::ManagedTensor* bad : {&gpu, &lanes, &bfloat}) EXPECT_THROW(dlpack::to_array(bad), autoray::Error);
  EXPECT_EQ(deleted, 3);
  char bytes[32] = {};
  Array uneven = Array::view(bytes, "float64", {2}, {12});
  EXPECT_THROW(dlpack::from_array(uneven), autoray::Error);
}
