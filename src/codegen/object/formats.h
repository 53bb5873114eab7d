// What a compiled function can be written as, and what stands beside it. Adding a format is a writer and its row.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "codegen/object/machine.h"

namespace autoray::codegen::object {

struct Format {
  std::string_view ending, summary;
  bool binary;
  std::string (*write)(const Function&, const Machine&);
};
std::span<const Format> formats();
const Format* find_format(std::string_view ending);  // null: none

struct About {
  std::string script, version;  // of the script's file and of autoray
};
// C99 and C++.
std::string c_header(const Function& function, const Machine& machine, const About& about);
// JSON; docs/embedding.md describes it. Compiles the function once more to see which symbols it needs.
std::string manifest(const Function& function, const Machine& machine, const About& about);

}  // namespace autoray::codegen::object
