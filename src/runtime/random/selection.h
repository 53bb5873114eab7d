// Orders and subsets: what shuffle, permutation and choice share. The order of draws defines numpy's streams,
// so each function says which it is.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/array.h"
#include "runtime/random/bit_generator.h"

namespace autoray::runtime {

class Runtime;

// The order that a Fisher-Yates shuffle of n items from the last one down (R. Durstenfeld, 1964) leaves them
// in: result[i] is the former place of the item that is now at i. Draws by masking, as
// numpy's shuffles do, old and new.
std::vector<std::int64_t> shuffled_order(Runtime& runtime, BitGenerator& stream, std::int64_t n);

// A fresh array of the items of `array` at these places of the axis: numpy's take.
Array take_along(Runtime& runtime, const Array& array, int axis, std::span<const std::int64_t> places,
                 std::span<const std::int64_t> places_shape);

// Shuffles in place along an axis. ValueError where the array is read-only.
void shuffle_array(Runtime& runtime, BitGenerator& stream, const Array& array, int axis);

}  // namespace autoray::runtime
