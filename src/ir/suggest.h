// "Did you mean": the candidate nearest to a misspelt word.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace autoray::ir {

// The best candidate within a third of the word's length (Damerau-Levenshtein, restricted edits); empty when none is near.
// Costs O(length^2) a candidate; only error paths call it.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

// TypeError "data type 'flaot64' not understood" with the nearest name as the hint.
[[noreturn]] void throw_unknown_dtype(std::string_view text);

}  // namespace autoray::ir
