// numpy's file formats: .npy (one array; versions 1 to 3, both byte orders, both element orders) and .npz (a
// zip archive of them). Reading trusts nothing: declared shapes are held against the bytes that are there
// before memory is asked for, the header is read by a small parser of literals, and an archive cannot grow
// beyond what deflate can do. Writing goes to a new file that replaces the old one when it is complete.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/array.h"
#include "runtime/files/file_io.h"

namespace autoray::runtime {

class Runtime;

inline constexpr std::int64_t kMaxHeaderSize = 10000;  // numpy's limit

struct NamedArray {
  std::string name;
  Array array;
};
using NamedArrays = std::vector<NamedArray>;

// ---- .npy ----
Array read_npy(Runtime& runtime, ByteSource& source, std::int64_t max_header_size = kMaxHeaderSize);
Array read_npy(Runtime& runtime, const std::string& path);
void write_npy(Runtime& runtime, const std::string& path, const Array& array);
// What stands before the elements: magic, version 1.0, and the description, padded to a multiple of 64 bytes.
std::string npy_header(const Array& array);

// ---- .npz ----
// The members of an archive, read when asked for.
class NpzReader {
 public:
  explicit NpzReader(const std::string& path);      // the file stays open
  explicit NpzReader(std::span<const char> bytes);  // which must outlive the reader
  ~NpzReader();
  NpzReader(const NpzReader&) = delete;

  // Member names as they stand in the archive ("x.npy").
  const std::vector<std::string>& members() const { return members_; }
  // Reads a whole member; ValueError where it is damaged.
  Array read_array(Runtime& runtime, std::size_t member, std::int64_t max_header_size = kMaxHeaderSize);
  std::string read_bytes(Runtime& runtime, std::size_t member);
  bool is_array(std::size_t member);

 private:
  struct Archive;
  void list();
  std::unique_ptr<Archive> archive_;
  std::vector<std::string> members_;
};

// All arrays, under their names without ".npy".
NamedArrays read_npz(Runtime& runtime, const std::string& path);
void write_npz(Runtime& runtime, const std::string& path, std::span<const NamedArray> arrays, bool compressed = false);

}  // namespace autoray::runtime
