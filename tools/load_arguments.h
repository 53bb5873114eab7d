// --load of the commands that call a function: IN.npz (every array that has a parameter), NAME=FILE.npy, NAME=LITERAL,
// NAME=random:SEED:float64[50,50].
#pragma once

#include <string>
#include <vector>

#include "autoray/engine.h"

namespace autoray::tools {

struct Loaded {
  Named argument;
  bool by_archive = false;  // may have no parameter
};
// kOk, or kUsage after saying what is wrong. Throws Error when a file cannot be read. `taker`: who takes an archive's arrays,
// for a hint.
int load_arguments(Engine& engine, const std::vector<std::string>& given, const std::string& taker,
                   std::vector<Loaded>& loaded);

}  // namespace autoray::tools
