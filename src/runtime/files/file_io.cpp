#include "runtime/files/file_io.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "ir/error.h"

namespace autoray::runtime {

using ir::Error;
using ir::ErrorClass;

namespace {

std::string quoted(const std::string& path) {
  char quote = path.find('\'') != std::string::npos && path.find('"') == std::string::npos ? '"' : '\'';
  std::string text(1, quote);
  for (char c : path) {
    if (c == quote || c == '\\') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  return text + quote;
}

ErrorClass class_of(int error) {
  switch (error) {
    case ENOENT: return ErrorClass::FileNotFoundError;
    case EISDIR: return ErrorClass::IsADirectoryError;
    case ENOTDIR: return ErrorClass::NotADirectoryError;
    case EACCES:
    case EPERM: return ErrorClass::PermissionError;
    case EEXIST: return ErrorClass::FileExistsError;
    default: return ErrorClass::OSError;
  }
}

void require_no_nul(const std::string& path) {
  if (path.find('\0') != std::string::npos) throw Error(ErrorClass::ValueError, "embedded null byte");
}

}  // namespace

void throw_os_error(int error, const std::string& path) {
  throw Error(class_of(error), "[Errno " + std::to_string(error) + "] " + std::strerror(error) + ": " + quoted(path));
}

std::size_t SpanSource::read(void* to, std::size_t count) {
  count = std::min(count, bytes_.size());
  if (count) std::memcpy(to, bytes_.data(), count);
  bytes_ = bytes_.subspan(count);
  return count;
}

FileSource::FileSource(const std::string& path) : path_(path) {
  require_no_nul(path);
  file_ = std::fopen(path.c_str(), "rb");
  if (!file_) throw_os_error(errno, path);
  struct stat status;
  if (fstat(fileno(file_), &status) != 0 || S_ISDIR(status.st_mode)) {
    int error = S_ISDIR(status.st_mode) ? EISDIR : errno;
    std::fclose(file_);
    throw_os_error(error, path);
  }
  regular_ = S_ISREG(status.st_mode);
  size_ = regular_ ? static_cast<std::uint64_t>(status.st_size) : 0;
}

FileSource::~FileSource() { std::fclose(file_); }

std::size_t FileSource::read(void* to, std::size_t count) {
  std::size_t got = std::fread(to, 1, count, file_);
  if (got < count && std::ferror(file_)) throw_os_error(errno, path_);
  position_ = std::min(size_, position_ + got);
  return got;
}

void FileSource::skip(std::uint64_t count) {
  if (fseeko(file_, static_cast<off_t>(count), SEEK_CUR) != 0) throw_os_error(errno, path_);
  position_ = std::min(size_, position_ + count);
}

void FileSource::rewind() {
  std::rewind(file_);
  position_ = 0;
}

std::string read_whole_file(const std::string& path) {
  FileSource source(path);
  std::string text;
  std::size_t used = 0;
  // One byte more than the size tells, so that the end is seen without another round.
  for (std::size_t step = static_cast<std::size_t>(source.remaining()) + 1;; step = std::max<std::size_t>(text.size(), 65536)) {
    text.resize(used + step);
    std::size_t got = source.read(text.data() + used, step);
    used += got;
    if (got < step) break;
  }
  text.resize(used);
  return text;
}

AtomicFile::AtomicFile(const std::string& path) : path_(path), target_(path) {
  require_no_nul(path);
  struct stat status;
  bool exists = ::stat(path.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) throw_os_error(errno, path);
  if (exists && S_ISDIR(status.st_mode)) throw_os_error(EISDIR, path);
  int descriptor;
  if (exists && !S_ISREG(status.st_mode)) {
    descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  } else {
    if (exists) {
      if (::access(path.c_str(), W_OK) != 0) throw_os_error(errno, path);
      // A link stays a link: the file that it leads to is replaced.
      std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr), &std::free);
      if (resolved) target_ = resolved.get();
    }
    std::size_t slash = target_.rfind('/');
    std::string folder = slash == std::string::npos ? "" : target_.substr(0, slash + 1);
    std::string stem = ".autoray-" + std::to_string(::getpid()) + "-";
    do {
      auto now = std::chrono::steady_clock::now().time_since_epoch().count();
      temporary_ = folder + stem + std::to_string(now) + ".tmp";
      descriptor = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (descriptor < 0 && errno == EEXIST);
    if (descriptor >= 0 && exists) (void)::fchmod(descriptor, status.st_mode & 07777);
  }
  if (descriptor < 0) {
    int error = errno;
    temporary_.clear();
    throw_os_error(error, path);
  }
  file_ = ::fdopen(descriptor, "wb");
  if (!file_) {
    int error = errno;
    ::close(descriptor);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
    throw_os_error(error, path);
  }
}

AtomicFile::~AtomicFile() {
  if (file_) std::fclose(file_);
  if (!committed_ && !temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* bytes, std::size_t count) {
  if (count && std::fwrite(bytes, 1, count, file_) != count) throw_os_error(errno, path_);
}

void AtomicFile::commit() {
  int failed = std::fclose(std::exchange(file_, nullptr));
  if (failed) throw_os_error(errno, path_);
  if (!temporary_.empty() && std::rename(temporary_.c_str(), target_.c_str()) != 0) throw_os_error(errno, path_);
  committed_ = true;
}

}  // namespace autoray::runtime
