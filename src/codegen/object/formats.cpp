#include "codegen/object/formats.h"

namespace autoray::codegen::object {
namespace {

constexpr Format kFormats[] = {
    {"o", "an object", true, object_code},
    {"a", "a static library", true, archive},
    {"so", "a shared library", true, shared_library},
    {"ll", "LLVM's language", false, llvm_text},
    {"s", "assembly", false, assembly},
};

}  // namespace

std::span<const Format> formats() { return kFormats; }

const Format* find_format(std::string_view ending) {
  for (const Format& format : kFormats)
    if (format.ending == ending) return &format;
  return nullptr;
}

}  // namespace autoray::codegen::object
