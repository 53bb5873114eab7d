#include "load_arguments.h"

#include <cstdlib>

#include "command.h"

namespace autoray::tools {
namespace {

// random:SEED:float64[50,50]
bool parse_random(const std::string& text, std::uint64_t& seed, std::string& dtype, std::vector<std::int64_t>& shape) {
  std::size_t colon = text.find(':', 7), bracket = text.find('[', 7);
  if (colon == std::string::npos || bracket == std::string::npos || bracket < colon || text.back() != ']') return false;
  char* end = nullptr;
  if (text[7] < '0' || text[7] > '9') return false;
  seed = std::strtoull(text.c_str() + 7, &end, 10);
  if (end != text.c_str() + colon) return false;
  dtype = text.substr(colon + 1, bracket - colon - 1);
  const char* p = text.c_str() + bracket + 1;
  while (*p != ']') {
    long long n = std::strtoll(p, &end, 10);
    if (end == p || n < 0) return false;
    shape.push_back(n);
    p = *end == ',' ? end + 1 : end;
    if (*end != ',' && *end != ']') return false;
  }
  return true;
}

int parse_source(Engine& engine, const std::string& source, const std::string& taker, Value& value) {
  if (source.starts_with("random:")) {
    std::uint64_t seed;
    std::string dtype;
    std::vector<std::int64_t> shape;
    if (!parse_random(source, seed, dtype, shape))
      return usage_error("--load takes random:SEED:DTYPE[SHAPE], not '" + source + "'",
                         "for example x=random:1:float64[50,50]");
    value = engine.standard_normal(seed, dtype, shape);
  } else if (source.ends_with(".npz")) {
    return usage_error("--load NAME=FILE takes an .npy file, not '" + source + "'",
                       "--load " + source + " gives every array of the archive that " + taker + " has a parameter for");
  } else if (source.ends_with(".npy")) {
    value = engine.load_npy(source);
  } else {
    value = engine.literal(source);
  }
  return kOk;
}

}  // namespace

int load_arguments(Engine& engine, const std::vector<std::string>& given, const std::string& taker,
                   std::vector<Loaded>& loaded) {
  for (const std::string& load : given) {
    std::size_t equals = load.find('=');
    if (equals == std::string::npos) {
      for (Named& n : engine.load_npz(load)) loaded.push_back({std::move(n), true});
      continue;
    }
    Loaded one;
    one.argument.name = load.substr(0, equals);
    if (int status = parse_source(engine, load.substr(equals + 1), taker, one.argument.value)) return status;
    loaded.push_back(std::move(one));
  }
  return kOk;
}

}  // namespace autoray::tools
