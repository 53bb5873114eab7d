#include "codegen/kernel_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace autoray::codegen {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostBytes = std::int64_t{64} << 20;
constexpr std::int64_t kBiggestEntry = std::int64_t{16} << 20;
constexpr std::size_t kStoresBetweenLooks = 32;
constexpr std::string_view kSuffix = ".kernel", kTemporary = "new-";
constexpr char kMagic[8] = {'a', 'r', 'k', 'e', 'r', 'n', '0', '1'};

struct Header {
  char magic[8];
  std::uint64_t checksum;  // of everything behind it
  std::uint64_t key_bytes, object_bytes;
};

// FNV-1a.
std::uint64_t hash(std::string_view bytes, std::uint64_t start = 0xcbf29ce484222325u) {
  for (char c : bytes) start = (start ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return start;
}

std::string file_name(std::string_view key) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash(key)));
  return text + std::string(kSuffix);
}

std::string from_environment() {
  auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value ? value : "");
  };
  if (variable("AUTORAY_CACHE") == "off") return {};
  if (std::string own = variable("AUTORAY_CACHE_DIR"); !own.empty()) return own;
  if (std::string user = variable("XDG_CACHE_HOME"); user.starts_with('/')) return user + "/autoray";
  if (std::string home = variable("HOME"); home.starts_with('/')) return home + "/.cache/autoray";
  return {};
}

struct File {
  explicit File(int descriptor) : fd(descriptor) {}
  ~File() {
    if (fd >= 0) close(fd);
  }
  File(const File&) = delete;
  int fd;
};

// What is in the file, as far as it is an entry; `wrong` says why it is none.
struct Entry {
  std::string bytes;
  std::string_view key, object;
  std::string wrong;
};

Entry read_entry(const std::string& path, bool touch) {
  Entry entry;
  File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info;
  if (file.fd < 0 || fstat(file.fd, &info) != 0) {
    entry.wrong = std::strerror(errno);
    return entry;
  }
  auto refuse = [&](std::string why) {
    entry.wrong = std::move(why);
    return std::move(entry);
  };
  if (!S_ISREG(info.st_mode)) return refuse("no regular file");
  if (info.st_uid != geteuid()) return refuse("another user's");
  if (info.st_size < static_cast<off_t>(sizeof(Header)) || info.st_size > kBiggestEntry) return refuse("its size");
  entry.bytes.resize(static_cast<std::size_t>(info.st_size));
  for (std::size_t got = 0; got < entry.bytes.size();) {
    ssize_t n = read(file.fd, entry.bytes.data() + got, entry.bytes.size() - got);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return refuse(n < 0 ? std::strerror(errno) : "truncated");
    got += static_cast<std::size_t>(n);
  }
  Header header;
  std::memcpy(&header, entry.bytes.data(), sizeof header);
  std::string_view rest = std::string_view(entry.bytes).substr(sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) return refuse("no kernel of this format");
  if (header.key_bytes > rest.size() || header.object_bytes != rest.size() - header.key_bytes) return refuse("truncated");
  if (hash(std::string_view(entry.bytes).substr(offsetof(Header, key_bytes))) != header.checksum) return refuse("its checksum");
  entry.key = rest.substr(0, header.key_bytes);
  entry.object = rest.substr(header.key_bytes);
  // Used now: the oldest go first.
  if (touch) futimens(file.fd, nullptr);
  return entry;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

KernelCache::KernelCache(std::string directory)
    : directory_(directory.empty()    ? from_environment()
                 : directory == "off" ? std::string()
                                      : std::move(directory)),
      most_bytes_(kMostBytes) {
  if (const char* text = std::getenv("AUTORAY_CACHE_BYTES")) std::from_chars(text, text + std::strlen(text), most_bytes_);
}

std::string KernelCache::problem() const {
  std::lock_guard lock(mutex_);
  return directory_.empty() ? "off" : problem_;
}

// Code is run from here: nobody else may have written it.
bool KernelCache::usable() {
  if (directory_.empty()) return false;
  if (state_ != State::Unknown) return state_ == State::Usable;
  state_ = State::Unusable;
  std::error_code error;
  fs::create_directories(fs::path(directory_).parent_path(), error);
  struct stat info;
  if (mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) {
    problem_ = directory_ + ": " + std::strerror(errno);
  } else if (stat(directory_.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    problem_ = directory_ + " is no directory";
  } else if (info.st_uid != geteuid() || (info.st_mode & 022)) {
    problem_ = "others may write to " + directory_;
  } else {
    state_ = State::Usable;
  }
  return state_ == State::Usable;
}

std::optional<std::string> KernelCache::load(std::string_view key) {
  std::lock_guard lock(mutex_);
  if (!usable()) return std::nullopt;
  Entry entry = read_entry(directory_ + "/" + file_name(key), true);
  if (!entry.wrong.empty() || entry.key != key) return std::nullopt;
  return std::string(entry.object);
}

void KernelCache::store(std::string_view key, std::string_view object) {
  std::lock_guard lock(mutex_);
  if (!usable()) return;
  if (static_cast<std::int64_t>(sizeof(Header) + key.size() + object.size()) > kBiggestEntry) return;
  Header header{{}, 0, key.size(), object.size()};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  auto bytes = [](const auto& field) { return std::string_view(reinterpret_cast<const char*>(&field), sizeof field); };
  header.checksum = hash(object, hash(key, hash(bytes(header.object_bytes), hash(bytes(header.key_bytes)))));
  std::string temporary = directory_ + "/" + std::string(kTemporary) + "XXXXXX";
  File file(mkostemp(temporary.data(), O_CLOEXEC));
  bool written = file.fd >= 0 && write_all(file.fd, bytes(header)) && write_all(file.fd, key) && write_all(file.fd, object) &&
                 std::rename(temporary.c_str(), (directory_ + "/" + file_name(key)).c_str()) == 0;
  if (!written) {
    problem_ = directory_ + ": " + std::strerror(errno);
    if (file.fd >= 0) unlink(temporary.c_str());
    return;
  }
  if (stored_++ % kStoresBetweenLooks == 0) prune();
}

std::vector<CachedKernel> KernelCache::list(bool verify) const {
  std::vector<CachedKernel> entries;
  std::error_code error;
  for (fs::directory_iterator at(directory_, error), end; !error && at != end; at.increment(error)) {
    CachedKernel entry;
    entry.name = at->path().filename();
    bool temporary = entry.name.starts_with(kTemporary);
    struct stat info;
    // Other files are not ours to remove.
    if ((!temporary && !entry.name.ends_with(kSuffix)) || lstat(at->path().c_str(), &info) != 0) continue;
    entry.bytes = info.st_size;
    entry.used = static_cast<double>(info.st_mtim.tv_sec) + 1e-9 * static_cast<double>(info.st_mtim.tv_nsec);
    if (temporary) {
      entry.wrong = "not finished";
    } else if (verify) {
      Entry read = read_entry(at->path(), false);
      entry.wrong = !read.wrong.empty() ? read.wrong : file_name(read.key) != entry.name ? "another kernel's name" : "";
    }
    entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.used > b.used; });
  return entries;
}

std::size_t KernelCache::clear(bool wrong_alone) {
  std::lock_guard lock(mutex_);
  std::size_t removed = 0;
  for (const CachedKernel& entry : list(wrong_alone))
    if (!wrong_alone || !entry.wrong.empty()) removed += unlink((directory_ + "/" + entry.name).c_str()) == 0;
  return removed;
}

// Down to three quarters, so that it is not looked at again at once.
void KernelCache::prune() const {
  std::int64_t bytes = 0;
  std::vector<CachedKernel> entries = list(false);
  for (const CachedKernel& entry : entries) bytes += entry.bytes;
  if (bytes <= most_bytes_) return;
  for (; !entries.empty() && bytes > most_bytes_ / 4 * 3; entries.pop_back()) {
    bytes -= entries.back().bytes;
    unlink((directory_ + "/" + entries.back().name).c_str());
  }
}

}  // namespace autoray::codegen
