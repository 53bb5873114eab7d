// Reading and writing files with Python's exceptions, and writing them whole or not at all.
#pragma once

#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

namespace autoray::runtime {

// OSError's subclass for errno, worded as Python does: "[Errno 2] No such file or directory: 'x.npy'".
[[noreturn]] void throw_os_error(int error, const std::string& path);

// Bytes in order, from a file, from memory or from a member of an archive.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Reads up to `count` bytes; fewer only at the end.
  virtual std::size_t read(void* to, std::size_t count) = 0;
  // An upper bound of what is still to come.
  virtual std::uint64_t remaining() const = 0;
  // How the end is told when it comes too early: members of an archive are read in pieces.
  virtual bool is_archive_member() const { return false; }
};

class SpanSource final : public ByteSource {
 public:
  explicit SpanSource(std::span<const char> bytes) : bytes_(bytes) {}
  std::size_t read(void* to, std::size_t count) override;
  std::uint64_t remaining() const override { return bytes_.size(); }

 private:
  std::span<const char> bytes_;
};

class FileSource final : public ByteSource {
 public:
  explicit FileSource(const std::string& path);  // OSError
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  std::size_t read(void* to, std::size_t count) override;
  std::uint64_t remaining() const override { return size_ - position_; }
  bool regular() const { return regular_; }
  void rewind();
  void skip(std::uint64_t count);

 private:
  std::string path_;
  std::FILE* file_;
  std::uint64_t size_ = 0, position_ = 0;
  bool regular_ = false;
};

std::string read_whole_file(const std::string& path);

// A file that appears under its name when `commit` is called: until then it stands beside it under another
// one, and without `commit` it is removed. What is no regular file (a pipe, /dev/stdout) is written directly.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);  // OSError
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;

  void write(const void* bytes, std::size_t count);
  void write(std::string_view text) { write(text.data(), text.size()); }
  void commit();
  // The name that it has for now, for libraries that open files themselves; `write` must not be used then.
  const std::string& temporary_path() const { return temporary_.empty() ? target_ : temporary_; }
  const std::string& path() const { return path_; }
  bool direct() const { return temporary_.empty(); }  // no regular file

 private:
  std::string path_, target_, temporary_;
  std::FILE* file_ = nullptr;
  bool committed_ = false;
};

}  // namespace autoray::runtime
