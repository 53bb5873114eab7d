// "Did you mean": the candidate nearest to a misspelt word.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ir/error.h"

namespace autoray::ir {

// The best candidate within a third of the word's length (Damerau-Levenshtein, restricted edits); empty when none is near.
// Costs O(length^2) a candidate; only error paths call it.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);
// The same as a hint: "did you mean 'x'?", or nothing.
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates);
// numpy's TypeError for a text that names no dtype, with the dtype that may have been meant.
Error unknown_dtype(std::string_view text);

}  // namespace autoray::ir
