#include "ir/suggest.h"

#include <algorithm>
#include <vector>

#include "ir/dtype.h"

namespace autoray::ir {
namespace {

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
  std::string_view found;
  if (word.size() > 60) return {};
  for (std::string_view candidate : candidates) {
    if (candidate == word || candidate.size() > word.size() + best || word.size() > candidate.size() + best) continue;
    std::size_t d = distance(word, candidate);
    if (d < best) {
      best = d;
      found = candidate;
    }
  }
  return std::string(found);
}

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates) {
  std::string near = did_you_mean(word, candidates);
  return near.empty() ? "" : "did you mean '" + near + "'?";
}

Error unknown_dtype(std::string_view text) {
  std::vector<std::string_view> names;
  for (int i = 0; i < kDTypeCount; ++i) names.push_back(name(static_cast<DType>(i)));
  Error error(ErrorClass::TypeError, "data type '" + std::string(text) + "' not understood");
  error.with_code(403).with_hint(suggestion(text, names));
  return error;
}

}  // namespace autoray::ir
