// Which build of the program or the library this is: what one build compiled is nothing for another.
#pragma once

#include <string>

namespace autoray::codegen {

// The linker's build id in hexadecimal digits; empty when it wrote none.
std::string build_id();

}  // namespace autoray::codegen
