// Compiled kernels on disk, shared by processes: a file for each, found by a hash of its key and believed only when the whole
// key is in it and its checksum is right. Files come by rename, so a reader sees all of one or nothing; what is damaged or
// foreign is no entry. The directory is the user's alone, and those files go that were not used for longest when it holds too
// much.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace autoray::codegen {

struct CachedKernel {
  std::string name;  // of the file
  std::int64_t bytes = 0;
  double used = 0;    // seconds since 1970
  std::string wrong;  // why it is no entry; empty: it is one (only as far as somebody looked)
};

class KernelCache {
 public:
  // "": as the environment says (AUTORAY_CACHE=off, AUTORAY_CACHE_DIR, XDG_CACHE_HOME, HOME); "off": none. Touches nothing.
  explicit KernelCache(std::string directory = {});

  // The object code for a key. Nothing: it has to be compiled.
  std::optional<std::string> load(std::string_view key);
  // A failure changes nothing but `problem`.
  void store(std::string_view key, std::string_view object);

  const std::string& directory() const { return directory_; }  // empty: off
  // Why there is no cache or nothing can be written: for explanations; empty: all is well.
  std::string problem() const;

  // For people. `verify`: every file is read and checked.
  std::vector<CachedKernel> list(bool verify) const;
  // Removes all entries, or those alone that `list(true)` finds wrong; how many went.
  std::size_t clear(bool wrong_alone = false);

 private:
  bool usable();  // makes the directory; false: see problem()
  void prune() const;

  std::string directory_;
  std::int64_t most_bytes_;
  mutable std::mutex mutex_;
  std::string problem_;
  enum class State : std::uint8_t { Unknown, Usable, Unusable } state_ = State::Unknown;
  std::size_t stored_ = 0;
};

}  // namespace autoray::codegen
