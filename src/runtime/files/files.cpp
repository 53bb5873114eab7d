#include "runtime/files/files.h"
#include "runtime/lazy/captures.h"

#include <cstring>

#include "ir/error.h"
#include "runtime/dispatch.h"
#include "runtime/files/npy.h"
#include "runtime/files/npz_file.h"
#include "runtime/files/text_file.h"

namespace autoray::runtime {
namespace {

using ir::Error;
using ir::ErrorClass;

const std::string& path_of(const Value& value) {
  if (auto* text = value.get_if<Str>()) return text->text;
  throw Error(ErrorClass::TypeError, "expected str, bytes or os.PathLike object, not " + type_name(value));
}

[[noreturn]] void not_supported(std::string_view what) {
  throw Error(ErrorClass::NotImplementedError, std::string(what) + " is not supported");
}

std::string with_extension(const std::string& path, std::string_view extension) {
  return path.ends_with(extension) ? path : path + std::string(extension);
}

Value load(HostCall& call) {
  enum { kFile, kMmapMode, kAllowPickle, kFixImports, kEncoding, kMaxHeaderSize };
  const std::string& path = path_of(call.args[kFile]);
  if (!call.args[kMmapMode].is_none()) not_supported("mmap_mode");
  std::int64_t max_header_size = ir::as_int(to_attr(call.runtime, call.args[kMaxHeaderSize]), "max_header_size");
  char magic[6] = {};
  std::string bytes;  // of what is no regular file
  std::size_t got;
  bool regular;
  {
    FileSource source(path);
    regular = source.regular();
    if (regular) {
      got = source.read(magic, sizeof magic);
    } else {
      bytes = read_whole_file(path);
      got = std::min(bytes.size(), sizeof magic);
      std::memcpy(magic, bytes.data(), got);
    }
  }
  if (got == 0) throw Error(ErrorClass::EOFError, "No data left in file");
  std::string_view start(magic, got);
  if (start.starts_with("PK\x03\x04") || start.starts_with("PK\x05\x06")) {
    if (!regular) not_supported("an .npz archive that is no regular file");
    return make<NpzFile>(path, max_header_size);
  }
  if (start != std::string_view("\x93NUMPY", 6))
    throw Error(ErrorClass::ValueError,
                "This file contains pickled (object) data. If you trust the file you can load it unsafely "
                "using the `allow_pickle=` "
                "keyword argument or `pickle.load()`.")
        .with_code(602)
        .with_hint("it is no .npy or .npz file: np.loadtxt reads text");
  if (!regular) {
    SpanSource source(bytes);
    return make_array(read_npy(call.runtime, source, max_header_size));
  }
  FileSource source(path);
  return make_array(read_npy(call.runtime, source, max_header_size));
}

Value save(HostCall& call) {
  const std::string& path = path_of(call.args[0]);
  Array array = to_array(call.runtime, call.args[1]);
  write_npy(call.runtime, with_extension(path, ".npy"), array);
  return Value::none();
}

Value save_archive(HostCall& call, bool compressed) {
  enum { kFile, kArrays, kAllowPickle, kNamed };
  const std::string& path = path_of(call.args[kFile]);
  NamedArrays arrays;
  for (Dict::Entry& entry : call.args[kNamed].as<Dict>().entries())
    arrays.push_back({text_of(entry.key, "name"), to_array(call.runtime, entry.value)});
  const std::vector<Value>& unnamed = call.args[kArrays].as<Tuple>().items;
  for (std::size_t i = 0; i < unnamed.size(); ++i) {
    std::string name = "arr_" + std::to_string(i);
    for (const NamedArray& other : arrays)
      if (other.name == name) throw Error(ErrorClass::ValueError, "Cannot use un-named variables and keyword " + name);
    arrays.push_back({std::move(name), to_array(call.runtime, unnamed[i])});
  }
  write_npz(call.runtime, with_extension(path, ".npz"), arrays, compressed);
  return Value::none();
}
Value savez(HostCall& call) { return save_archive(call, false); }
Value savez_compressed(HostCall& call) { return save_archive(call, true); }

std::optional<char> control_character(const Value& value) {
  if (value.is_none()) return std::nullopt;
  auto* text = value.get_if<Str>();
  if (!text || text->text.size() != 1)
    throw Error(ErrorClass::TypeError, "Text reading control character must be a single unicode character or None; but got: " +
                                           (text ? "'" + text->text + "'" : "a " + type_name(value)));
  return text->text[0];
}

std::int64_t non_negative(Runtime& runtime, const Value& value, std::string_view what) {
  std::int64_t n = ir::as_int(to_attr(runtime, value), what);
  if (n < 0) throw Error(ErrorClass::ValueError, "argument must be nonnegative");
  return n;
}

std::vector<std::string> texts(const Value& value, std::string_view what) {
  std::vector<std::string> result;
  if (auto* text = value.get_if<Str>()) {
    result.push_back(text->text);
    return result;
  }
  const std::vector<Value>* items = nullptr;
  if (auto* list = value.get_if<List>()) items = &list->items;
  if (auto* tuple = value.get_if<Tuple>()) items = &tuple->items;
  if (!items)
    throw Error(ErrorClass::TypeError, std::string(what) + " must be str or a sequence of str, not " + type_name(value));
  for (const Value& item : *items) result.push_back(text_of(item, what));
  return result;
}

Value loadtxt(HostCall& call) {
  enum {
    kName,
    kDType,
    kComments,
    kDelimiter,
    kConverters,
    kSkipRows,
    kUseCols,
    kUnpack,
    kNdmin,
    kEncoding,
    kMaxRows,
    kQuote,
    kLike
  };
  Runtime& runtime = call.runtime;
  LoadTextOptions options;
  options.dtype = to_dtype(call.args[kDType]).value_or(ir::DType::Float64);
  options.comments.clear();
  if (!call.args[kComments].is_none()) options.comments = texts(call.args[kComments], "comments");
  std::erase(options.comments, "");
  options.delimiter = control_character(call.args[kDelimiter]);
  options.quote = control_character(call.args[kQuote]);
  if (!call.args[kConverters].is_none()) not_supported("converters");
  options.skip_rows = non_negative(runtime, call.args[kSkipRows], "skiprows");
  if (!call.args[kMaxRows].is_none()) options.max_rows = non_negative(runtime, call.args[kMaxRows], "max_rows");
  if (const Value& columns = call.args[kUseCols]; !columns.is_none()) {
    ir::Attr attr = to_attr(runtime, columns);
    auto wrong = [](const char* type) {
      throw Error(ErrorClass::TypeError,
                  std::string("usecols must be an int or a sequence of ints but it contains at least one element of type '") +
                      type + "'");
    };
    options.columns.emplace();
    if (auto* place = attr.get<std::int64_t>()) {
      options.columns->push_back(*place);
    } else if (auto* places = attr.get<ir::Dims>()) {
      options.columns->assign(places->begin(), places->end());
    } else if (attr.get<std::string>()) {
      wrong("str");
    } else {
      wrong("float");
    }
  }
  std::int64_t ndmin = ir::as_int(to_attr(runtime, call.args[kNdmin]), "ndmin");
  if (ndmin < 0 || ndmin > 2) throw Error(ErrorClass::ValueError, "Illegal value of ndmin keyword: " + std::to_string(ndmin));
  bool unpack = ir::as_bool(to_attr(runtime, call.args[kUnpack]), "unpack");

  std::string text, shown;
  if (auto* path = call.args[kName].get_if<Str>()) {
    shown = path->text;
    try {
      text = read_whole_file(path->text);
    } catch (const Error& error) {
      if (error.error_class() != ErrorClass::FileNotFoundError) throw;
      throw Error(ErrorClass::FileNotFoundError, path->text + " not found.");
    }
  } else {
    for (const std::string& line : texts(call.args[kName], "fname")) text += line + "\n";
    shown = "a list";
  }
  Array array = parse_text(runtime, text, options);
  if (array.shape[0] == 0) runtime.warn(ErrorClass::UserWarning, "loadtxt: input contained no data: \"" + shown + "\"");
  // Extents of 1 go, as far as ndmin lets them.
  if (array.ndim() > ndmin) {
    ir::Dims shape, strides;
    for (int i = 0; i < array.ndim(); ++i)
      if (array.shape[i] != 1) {
        shape.push_back(array.shape[i]);
        strides.push_back(array.strides[i]);
      }
    array.shape = shape;
    array.strides = strides;
  }
  if (array.ndim() < ndmin) {
    // A lone number, or a vector that stands as a column.
    while (array.ndim() < ndmin) {
      array.shape.push_back(1);
      array.strides.push_back(array.itemsize());
    }
  }
  if (unpack && array.ndim() == 2) {
    ir::Dims axes{1, 0};
    array = transposed(array, axes);
  }
  return make_array(std::move(array));
}

Value savetxt(HostCall& call) {
  enum { kName, kArray, kFormat, kDelimiter, kNewline, kHeader, kFooter, kComments, kEncoding };
  const std::string& path = path_of(call.args[kName]);
  SaveTextOptions options;
  const Value& format = call.args[kFormat];
  options.format_is_list = format.is(ObjectKind::List) || format.is(ObjectKind::Tuple);
  if (!options.format_is_list && !format.is(ObjectKind::Str)) {
    std::string shown = format.is_int() ? std::to_string(format.as_int()) : "a " + type_name(format);
    throw Error(ErrorClass::ValueError, "invalid fmt: " + shown);
  }
  options.formats = texts(format, "fmt");
  options.delimiter = text_of(call.args[kDelimiter], "delimiter");
  if (!call.args[kNewline].is_none()) options.newline = text_of(call.args[kNewline], "newline");
  options.header = text_of(call.args[kHeader], "header");
  options.footer = text_of(call.args[kFooter], "footer");
  if (!call.args[kComments].is_none()) options.comments = text_of(call.args[kComments], "comments");
  Array array = to_array(call.runtime, call.args[kArray]);
  AtomicFile file(path);
  file.write(format_text(call.runtime, array, options));
  file.commit();
  return Value::none();
}

}  // namespace

std::span<const HostRow> file_hosts() {
  using ir::OpId;
  static constexpr HostRow kRows[] = {
      {OpId::Load, outside_traces<load>},       {OpId::Save, outside_traces<save>},
      {OpId::Savez, outside_traces<savez>},     {OpId::SavezCompressed, outside_traces<savez_compressed>},
      {OpId::Loadtxt, outside_traces<loadtxt>}, {OpId::Savetxt, outside_traces<savetxt>},
  };
  return kRows;
}

}  // namespace autoray::runtime
