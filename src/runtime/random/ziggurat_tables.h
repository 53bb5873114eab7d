// The ziggurats of the normal and the exponential distribution: 256 layers each, for the 52, 53 or 23 random
// bits that double and float draws use. A draw in layer i takes `bits`; it is inside when bits < key[i], and
// stands for x = bits * width[i].
#pragma once

#include <cstdint>

namespace autoray::runtime::ziggurat {

extern const std::uint64_t normal_key_double[256];
extern const double normal_width_double[256], normal_density_double[256];
extern const std::uint32_t normal_key_float[256];
extern const float normal_width_float[256], normal_density_float[256];
extern const double normal_r, normal_inverse_r;  // where the tail begins
extern const float normal_r_float, normal_inverse_r_float;

extern const std::uint64_t exponential_key_double[256];
extern const double exponential_width_double[256], exponential_density_double[256];
extern const std::uint32_t exponential_key_float[256];
extern const float exponential_width_float[256], exponential_density_float[256];
extern const double exponential_r;
extern const float exponential_r_float;

}  // namespace autoray::runtime::ziggurat
