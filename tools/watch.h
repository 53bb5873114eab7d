// Ctrl-C and deadlines: signals ask the engine to stop, and end the process when a long operation of a library does not hear
// it.
#pragma once

#include <string_view>

#include "autoray/engine.h"

namespace autoray::tools {

// From now on Ctrl-C is heard, and the process has so many seconds (0: no limit).
void watch(double timeout);

// While it lives, its engine is what signals stop.
class Watched {
 public:
  explicit Watched(Engine& engine);
  ~Watched();
  Watched(const Watched&) = delete;
};

// A script's print; a signal that ends the process leaves no half-written buffer behind.
void print_watched(std::string_view text);

}  // namespace autoray::tools
