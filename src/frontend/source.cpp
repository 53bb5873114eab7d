#include "frontend/source.h"

#include <algorithm>

namespace autoray::frontend {

Source::Source(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {
  if (text_.starts_with("\xef\xbb\xbf")) text_.erase(0, 3);
  line_starts_.push_back(0);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n' || (text_[i] == '\r' && (i + 1 == text_.size() || text_[i + 1] != '\n')))
      line_starts_.push_back(static_cast<std::uint32_t>(i + 1));
  }
}

Place Source::place(std::uint32_t offset) const {
  auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  auto line = static_cast<int>(after - line_starts_.begin());
  int column = 1;
  for (std::size_t i = line_start(line); i < offset && i < text_.size(); ++i)
    column += (static_cast<unsigned char>(text_[i]) & 0xc0) != 0x80;
  return {line, column};
}

std::uint32_t Source::offset(Place place) const {
  std::uint32_t i = line_start(place.line);
  for (int column = 1; i < text_.size(); ++i) {
    column += i > line_start(place.line) && (static_cast<unsigned char>(text_[i]) & 0xc0) != 0x80;
    if (column == place.column) break;
  }
  return i;
}

std::string_view Source::line(int number) const {
  std::size_t begin = line_start(number);
  std::size_t end = number < line_count() ? line_start(number + 1) : text_.size();
  while (end > begin && (text_[end - 1] == '\n' || text_[end - 1] == '\r')) --end;
  return std::string_view(text_).substr(begin, end - begin);
}

std::size_t Source::first_bad_byte() const {
  for (std::size_t i = 0; i < text_.size();) {
    auto c = static_cast<unsigned char>(text_[i]);
    if (c == 0) return i;
    std::size_t length = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    if (length == 0 || i + length > text_.size()) return i;
    for (std::size_t k = 1; k < length; ++k)
      if ((static_cast<unsigned char>(text_[i + k]) & 0xc0) != 0x80) return i;
    auto next = length > 1 ? static_cast<unsigned char>(text_[i + 1]) : 0;
    // Overlong forms, surrogates, and what lies beyond U+10FFFF.
    if ((c == 0xe0 && next < 0xa0) || (c == 0xed && next >= 0xa0) || (c == 0xf0 && next < 0x90) || (c == 0xf4 && next >= 0x90))
      return i;
    i += length;
  }
  return std::string::npos;
}

}  // namespace autoray::frontend
