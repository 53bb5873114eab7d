// A script's text with its lines: places are byte offsets until somebody reads them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace autoray::frontend {

struct Place {
  int line = 1;    // from 1
  int column = 1;  // from 1, in code points
};

class Source {
 public:
  // A byte order mark is dropped. Invalid UTF-8 and NUL bytes stay: `first_bad_byte` finds them.
  Source(std::string name, std::string text);

  const std::string& name() const { return name_; }
  std::string_view text() const { return text_; }
  Place place(std::uint32_t offset) const;  // O(log lines + line length)
  std::uint32_t offset(Place place) const;  // of a place in it
  std::string_view line(int number) const;  // without its line break
  int line_count() const { return static_cast<int>(line_starts_.size()); }
  std::uint32_t line_start(int number) const { return line_starts_[static_cast<std::size_t>(number - 1)]; }
  // Offset of the first byte that is no valid UTF-8 or is NUL; npos when all is well.
  std::size_t first_bad_byte() const;

 private:
  std::string name_, text_;
  std::vector<std::uint32_t> line_starts_;
};

}  // namespace autoray::frontend
