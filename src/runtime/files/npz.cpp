#include <sys/mman.h>
#include <unistd.h>

#include <minizip/unzip.h>
#include <minizip/zip.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ir/error.h"
#include "runtime/convert.h"
#include "runtime/files/npy.h"
#include "runtime/objects.h"
#include "runtime/runtime.h"

namespace autoray::runtime {
namespace {

using ir::Error;
using ir::ErrorClass;

[[noreturn]] void bad(std::string message) { throw Error(ErrorClass::ValueError, std::move(message)); }

constexpr std::uint64_t kDeflateRatio = 1032;  // deflate cannot do better
constexpr std::size_t kMaxMembers = 1 << 20;

// minizip's view of bytes in memory.
struct Memory {
  std::span<const char> bytes;
  std::uint64_t position = 0;
};
voidpf open_memory(voidpf opaque, const void*, int) { return opaque; }
uLong read_memory(voidpf, voidpf stream, void* to, uLong count) {
  auto& memory = *static_cast<Memory*>(stream);
  std::uint64_t left = memory.bytes.size() - std::min<std::uint64_t>(memory.position, memory.bytes.size());
  count = static_cast<uLong>(std::min<std::uint64_t>(count, left));
  if (count) std::memcpy(to, memory.bytes.data() + memory.position, count);
  memory.position += count;
  return count;
}
ZPOS64_T tell_memory(voidpf, voidpf stream) { return static_cast<Memory*>(stream)->position; }
long seek_memory(voidpf, voidpf stream, ZPOS64_T offset, int origin) {
  auto& memory = *static_cast<Memory*>(stream);
  std::uint64_t base = origin == ZLIB_FILEFUNC_SEEK_CUR   ? memory.position
                       : origin == ZLIB_FILEFUNC_SEEK_END ? memory.bytes.size()
                                                          : 0;
  std::uint64_t target = base + offset;
  if (target > memory.bytes.size()) return -1;
  memory.position = target;
  return 0;
}
int close_memory(voidpf, voidpf) { return 0; }
int no_error(voidpf, voidpf) { return 0; }

}  // namespace

struct NpzReader::Archive {
  unzFile handle = nullptr;
  Memory memory;
  std::vector<unz64_file_pos> places;

  ~Archive() {
    if (handle) unzClose(handle);
  }
};

namespace {

// The member that is open now.
class MemberSource final : public ByteSource {
 public:
  MemberSource(unzFile handle, std::string name) : handle_(handle), name_(std::move(name)) {
    unz_file_info64 info;
    if (unzGetCurrentFileInfo64(handle_, &info, nullptr, 0, nullptr, 0, nullptr, 0) != UNZ_OK) bad("File is not a zip file");
    if (info.flag & 1)
      throw Error(ErrorClass::RuntimeError, "File '" + name_ + "' is encrypted, password required for extraction");
    if (info.compression_method != 0 && info.compression_method != Z_DEFLATED)
      throw Error(ErrorClass::NotImplementedError, "That compression method is not supported");
    std::uint64_t ratio = info.compression_method == 0 ? 1 : kDeflateRatio;
    std::uint64_t bound;
    if (__builtin_mul_overflow(static_cast<std::uint64_t>(info.compressed_size), ratio, &bound)) bound = ~std::uint64_t{0};
    remaining_ = std::min<std::uint64_t>(info.uncompressed_size, bound);
    if (unzOpenCurrentFile(handle_) != UNZ_OK) bad("Bad magic number for file header of '" + name_ + "'");
    open_ = true;
  }
  ~MemberSource() override {
    if (open_) unzCloseCurrentFile(handle_);
  }
  std::size_t read(void* to, std::size_t count) override {
    std::size_t done = 0;
    while (done < count) {
      auto step = static_cast<unsigned>(std::min<std::size_t>(count - done, 1 << 30));
      int got = unzReadCurrentFile(handle_, static_cast<char*>(to) + done, step);
      if (got < 0) bad("Error -3 while decompressing data of '" + name_ + "': the archive is damaged");
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    remaining_ -= std::min<std::uint64_t>(remaining_, done);
    return done;
  }
  std::uint64_t remaining() const override { return remaining_; }
  bool is_archive_member() const override { return true; }
  // Checks the sum over all that was read.
  void close() {
    open_ = false;
    if (unzCloseCurrentFile(handle_) == UNZ_CRCERROR) bad("Bad CRC-32 for file '" + name_ + "'");
  }

 private:
  unzFile handle_;
  std::string name_;
  std::uint64_t remaining_ = 0;
  bool open_ = false;
};

// An archive closes with its end record and a comment. minizip takes what is missing of the record for zeros, and an archive
// of nothing, which is the record alone, for none. True for the latter.
constexpr std::uint64_t kLongestEnd = 22 + 65535;
bool check_end(std::string_view end) {
  constexpr std::size_t kRecord = 22, kEntries = 10;
  std::size_t at = end.rfind("PK\5\6");
  if (at == std::string_view::npos || end.size() - at < kRecord) bad("File is not a zip file");
  return at == 0 && end.size() == kRecord && end[kEntries] == 0 && end[kEntries + 1] == 0;
}

void go_to(unzFile handle, const unz64_file_pos& place) {
  if (unzGoToFilePos64(handle, &place) != UNZ_OK) bad("File is not a zip file");
}

}  // namespace

NpzReader::NpzReader(const std::string& path) : archive_(std::make_unique<Archive>()) {
  FileSource file(path);  // Python's exception where it cannot be opened
  if (!file.regular()) bad("File is not a zip file");
  file.skip(file.remaining() - std::min(file.remaining(), kLongestEnd));
  std::string end(static_cast<std::size_t>(file.remaining()), '\0');
  end.resize(file.read(end.data(), end.size()));
  if (check_end(end)) return;
  archive_->handle = unzOpen64(path.c_str());
  list();
}

NpzReader::NpzReader(std::span<const char> bytes) : archive_(std::make_unique<Archive>()) {
  std::string_view text(bytes.data(), bytes.size());
  if (check_end(text.substr(text.size() - std::min<std::size_t>(text.size(), kLongestEnd)))) return;
  archive_->memory.bytes = bytes;
  zlib_filefunc64_def functions{};
  functions.zopen64_file = open_memory;
  functions.zread_file = read_memory;
  functions.ztell64_file = tell_memory;
  functions.zseek64_file = seek_memory;
  functions.zclose_file = close_memory;
  functions.zerror_file = no_error;
  functions.opaque = &archive_->memory;
  archive_->handle = unzOpen2_64("", &functions);
  list();
}

NpzReader::~NpzReader() = default;

void NpzReader::list() {
  if (!archive_->handle) bad("File is not a zip file");
  unz_global_info64 global;
  if (unzGetGlobalInfo64(archive_->handle, &global) != UNZ_OK) bad("File is not a zip file");
  if (global.number_entry == 0) return;
  int status = unzGoToFirstFile(archive_->handle);
  while (status == UNZ_OK) {
    unz_file_info64 info;
    std::string name(65536, '\0');
    if (unzGetCurrentFileInfo64(archive_->handle, &info, name.data(), name.size() - 1, nullptr, 0, nullptr, 0) != UNZ_OK)
      bad("File is not a zip file");
    name.resize(std::min<std::size_t>(info.size_filename, name.size() - 1));
    unz64_file_pos place;
    if (unzGetFilePos64(archive_->handle, &place) != UNZ_OK) bad("File is not a zip file");
    members_.push_back(std::move(name));
    archive_->places.push_back(place);
    if (members_.size() > kMaxMembers)
      bad("an archive of more than " + std::to_string(kMaxMembers) + " members is not supported");
    status = unzGoToNextFile(archive_->handle);
  }
  if (status != UNZ_END_OF_LIST_OF_FILE) bad("File is not a zip file");
}

bool NpzReader::is_array(std::size_t member) {
  go_to(archive_->handle, archive_->places[member]);
  MemberSource source(archive_->handle, members_[member]);
  char magic[6];
  return source.read(magic, 6) == 6 && std::memcmp(magic, "\x93NUMPY", 6) == 0;
}

Array NpzReader::read_array(Runtime& runtime, std::size_t member, std::int64_t max_header_size) {
  go_to(archive_->handle, archive_->places[member]);
  MemberSource source(archive_->handle, members_[member]);
  Array array = read_npy(runtime, source, max_header_size);
  source.close();
  return array;
}

std::string NpzReader::read_bytes(Runtime& runtime, std::size_t member) {
  go_to(archive_->handle, archive_->places[member]);
  MemberSource source(archive_->handle, members_[member]);
  std::string bytes;
  for (;;) {
    runtime.poll();
    constexpr std::size_t kPiece = 1 << 20;
    std::size_t before = bytes.size();
    // What it comes to counts as an array would.
    runtime.budget().charge(kPiece);
    runtime.budget().refund(kPiece);
    bytes.resize(before + kPiece);
    std::size_t got = source.read(bytes.data() + before, kPiece);
    bytes.resize(before + got);
    if (got < kPiece) break;
  }
  source.close();
  return bytes;
}

NamedArrays read_npz(Runtime& runtime, const std::string& path) {
  NpzReader reader(path);
  NamedArrays arrays;
  for (std::size_t i = 0; i < reader.members().size(); ++i) {
    std::string name = reader.members()[i];
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    arrays.push_back({std::move(name), reader.read_array(runtime, i)});
  }
  return arrays;
}

namespace {

// A file without a name.
class MemoryFile {
 public:
  ~MemoryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  void open() {
    descriptor_ = ::memfd_create("npz", MFD_CLOEXEC);
    if (descriptor_ < 0) throw_os_error(errno, "an archive in memory");
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_ = -1;
};

}  // namespace

void write_npz(Runtime& runtime, const std::string& path, std::span<const NamedArray> arrays, bool compressed) {
  AtomicFile file(path);
  errno = 0;
  // A pipe cannot be sought in: its archive is made in memory first.
  MemoryFile memory;
  if (file.direct()) memory.open();
  std::string place = file.direct() ? memory.path() : file.temporary_path();
  zipFile zip = zipOpen64(place.c_str(), APPEND_STATUS_CREATE);
  auto check = [&](int status) {
    if (status == ZIP_OK) return;
    int error = errno ? errno : EIO;
    if (zip) zipClose(zip, nullptr);
    throw_os_error(error, path);
  };
  check(zip ? ZIP_OK : ZIP_ERRNO);
  zip_fileinfo info{};
  // The first of January 1980, zip's beginning of time: the same arrays give the same bytes.
  info.dosDate = 1u << 21 | 1u << 16;
  for (const NamedArray& item : arrays) {
    Array ordered = item.array;
    if (ordered.f_contiguous() && !ordered.c_contiguous()) {
      ir::Dims axes;
      for (int i = ordered.ndim(); i-- > 0;) axes.push_back(i);
      ordered = transposed(ordered, axes);
    }
    try {
      ordered = contiguous(runtime, ordered, ordered.dtype);
      runtime.poll();
    } catch (...) {
      zipClose(zip, nullptr);
      throw;
    }
    std::string header = npy_header(item.array);
    auto bytes = static_cast<std::uint64_t>(ordered.nbytes());
    constexpr int kUtf8Names = 1 << 11;
    check(zipOpenNewFileInZip4_64(zip, (item.name + ".npy").c_str(), &info, nullptr, 0, nullptr, 0, nullptr,
                                  compressed ? Z_DEFLATED : 0, Z_DEFAULT_COMPRESSION, 0, -MAX_WBITS, DEF_MEM_LEVEL,
                                  Z_DEFAULT_STRATEGY, nullptr, 0, 0x0314, kUtf8Names, bytes >= 0xff000000u));
    check(zipWriteInFileInZip(zip, header.data(), static_cast<unsigned>(header.size())));
    for (std::uint64_t done = 0; done < bytes;) {
      auto step = static_cast<unsigned>(std::min<std::uint64_t>(bytes - done, 1 << 28));
      check(zipWriteInFileInZip(zip, ordered.data + done, step));
      done += step;
    }
    check(zipCloseFileInZip(zip));
  }
  int status = zipClose(std::exchange(zip, nullptr), nullptr);
  check(status);
  if (file.direct()) file.write(read_whole_file(place));
  file.commit();
}

}  // namespace autoray::runtime
