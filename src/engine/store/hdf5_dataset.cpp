#include "hdf5_dataset.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>

#include "hdf5_rows.hpp"

namespace moesweep::store {
namespace {

// Deflate cannot expand a byte to more than 1,032; shuffled constant columns come close.
constexpr std::uint64_t max_expansion = 1100;
constexpr std::size_t max_text_bytes = 4096;

// Fletcher32 too is foreign: HDF5 1.10 reads out of bounds when a chunk is shorter than its
// checksum.
bool has_only_our_filters(hid_t properties) {
  const int filters = h5_check(H5Pget_nfilters(properties), "H5Pget_nfilters");
  for (int i = 0; i < filters; ++i) {
    std::size_t parameters = 0;
    const auto filter = H5Pget_filter2(properties, static_cast<unsigned>(i), nullptr, &parameters,
                                       nullptr, 0, nullptr, nullptr);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE) return false;
  }
  return true;
}

// What an honest file of this size can hold, whatever its headers declare.
std::optional<std::uint64_t> most_bytes_held(hid_t dataset) {
  const H5Handle file(H5Iget_file_id(dataset), H5Fclose, "H5Iget_file_id");
  hsize_t file_bytes = 0;
  h5_check(H5Fget_filesize(file, &file_bytes), "H5Fget_filesize");
  const auto stored_bytes = H5Dget_storage_size(dataset);
  // 0 is also what it says when it could not look.
  if (stored_bytes == 0 && H5Eget_num(H5E_DEFAULT) > 0) h5_fail("H5Dget_storage_size");
  return checked_product(std::min(file_bytes, stored_bytes), max_expansion);
}

std::optional<std::uint64_t> product(const std::vector<hsize_t>& dims, std::uint64_t factor) {
  std::optional<std::uint64_t> bytes = factor;
  if (std::ranges::find(dims, hsize_t{0}) != dims.end()) return 0;
  for (const auto dim : dims) {
    if (bytes) bytes = checked_product(*bytes, dim);
  }
  return bytes;
}

// HDF5 unpacks whole chunks, however few of their elements the dataset has.
std::vector<hsize_t> chunk_dims(hid_t properties, std::size_t rank) {
  if (H5Pget_layout(properties) != H5D_CHUNKED) return {};
  std::vector<hsize_t> dims(rank);
  h5_check(H5Pget_chunk(properties, static_cast<int>(rank), dims.data()), "H5Pget_chunk");
  return dims;
}

void require_safe_storage(hid_t properties, const DatasetPlace& place) {
  if (H5Pget_layout(properties) == H5D_VIRTUAL) refuse(place, "is a virtual dataset");
  if (H5Pget_external_count(properties) != 0) refuse(place, "is stored in another file");
  if (!has_only_our_filters(properties)) refuse(place, "has a filter that is not ours");
}

// Memory for texts of variable length. HDF5 asks for each text apart, as long as the file says.
struct TextMemory {
  std::vector<std::unique_ptr<char[]>> pieces;
  bool refused = false;
  bool no_memory = false;
};

// HDF5 is C: no exception may pass through it.
void* allocate_text(std::size_t bytes, void* memory) noexcept {
  auto& texts = *static_cast<TextMemory*>(memory);
  if (bytes > max_text_bytes + 1) {
    texts.refused = true;
    return nullptr;
  }
  try {
    texts.pieces.push_back(std::make_unique<char[]>(bytes));
    return texts.pieces.back().get();
  } catch (const std::bad_alloc&) {
    texts.no_memory = true;
    return nullptr;
  }
}

void keep_text(void* /*text*/, void* /*memory*/) {}

std::vector<std::string> read_variable_texts(const OpenDataset& open, const DatasetPlace& place) {
  TextMemory memory;
  const H5Handle transfer(H5Pcreate(H5P_DATASET_XFER), H5Pclose, "H5Pcreate");
  h5_check(H5Pset_vlen_mem_manager(transfer, allocate_text, &memory, keep_text, &memory),
           "H5Pset_vlen_mem_manager");
  const H5Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "H5Tcopy");
  h5_check(H5Tset_size(type, H5T_VARIABLE), "H5Tset_size");
  h5_check(H5Tset_cset(type, H5Tget_cset(open.type)), "H5Tset_cset");
  std::vector<const char*> texts(open.elements(), nullptr);
  const auto status = H5Dread(open.dataset, type, H5S_ALL, H5S_ALL, transfer, texts.data());
  if (memory.refused) refuse(place, fmt::format("has a text above {} bytes", max_text_bytes));
  if (memory.no_memory) throw std::bad_alloc();
  h5_check(status, "H5Dread " + place.name);
  std::vector<std::string> copies;
  copies.reserve(texts.size());
  for (const auto* text : texts) copies.emplace_back(text == nullptr ? "" : text);
  return copies;
}

std::vector<std::string> read_fixed_texts(const OpenDataset& open, const DatasetPlace& place) {
  if (open.element_bytes > max_text_bytes) {
    refuse(place, fmt::format("has a text above {} bytes", max_text_bytes));
  }
  std::vector<char> padded(open.elements() * open.element_bytes);
  h5_check(H5Dread(open.dataset, open.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, padded.data()),
           "H5Dread " + place.name);
  std::vector<std::string> texts;
  texts.reserve(open.elements());
  for (std::size_t i = 0; i < open.elements(); ++i) {
    const char* text = &padded[i * open.element_bytes];
    std::string trimmed(text, ::strnlen(text, open.element_bytes));
    if (H5Tget_strpad(open.type) == H5T_STR_SPACEPAD) {
      trimmed.erase(trimmed.find_last_not_of(' ') + 1);
    }
    texts.push_back(std::move(trimmed));
  }
  return texts;
}

}  // namespace

bool has_object(hid_t location, const std::string& name, const std::string& file_name) {
  if (h5_check(H5Lexists(location, name.c_str(), H5P_DEFAULT), "H5Lexists") == 0) return false;
  H5L_info_t info;
  h5_check(H5Lget_info(location, name.c_str(), &info, H5P_DEFAULT), "H5Lget_info");
  if (info.type != H5L_TYPE_HARD) {
    throw Error(ExitCode::bad_input, file_name, fmt::format("{} is a link to elsewhere", name));
  }
  return true;
}

bool has_path(hid_t location, const std::string& path, const std::string& file_name) {
  for (std::size_t slash = path.find('/');; slash = path.find('/', slash + 1)) {
    if (!has_object(location, path.substr(0, slash), file_name)) return false;
    if (slash == std::string::npos) return true;
  }
}

std::vector<std::string> names_in(hid_t group) {
  H5G_info_t info;
  h5_check(H5Gget_info(group, &info), "H5Gget_info");
  std::vector<std::string> names;
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    const auto name = [&](char* text, std::size_t bytes) {
      return h5_check(
          H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, text, bytes, H5P_DEFAULT),
          "H5Lget_name_by_idx");
    };
    std::string text(static_cast<std::size_t>(name(nullptr, 0)) + 1, '\0');
    name(text.data(), text.size());
    text.pop_back();
    names.push_back(std::move(text));
  }
  return names;
}

std::size_t OpenDataset::elements() const {
  std::size_t count = 1;
  for (const auto dim : dims) count *= dim;
  return count;
}

void refuse(const DatasetPlace& place, const std::string& why) {
  throw Error(ExitCode::bad_input, place.file_name,
              fmt::format("{} {} {}", place.noun, place.name, why));
}

OpenDataset open_dataset(hid_t location, const DatasetPlace& place) {
  if (!has_path(location, place.name, place.file_name)) refuse(place, "is missing");
  H5Handle dataset(H5Dopen2(location, place.name.c_str(), H5P_DEFAULT), H5Dclose,
                   "H5Dopen " + place.name);
  const H5Handle properties(H5Dget_create_plist(dataset), H5Pclose, "H5Dget_create_plist");
  require_safe_storage(properties, place);
  const H5Handle space(H5Dget_space(dataset), H5Sclose, "H5Dget_space");
  const int rank = h5_check(H5Sget_simple_extent_ndims(space), "H5Sget_simple_extent_ndims");
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  h5_check(H5Sget_simple_extent_dims(space, dims.data(), nullptr), "H5Sget_simple_extent_dims");
  if (H5Sget_simple_extent_type(space) == H5S_NULL) refuse(place, "has no values");
  H5Handle type(H5Dget_type(dataset), H5Tclose, "H5Dget_type");
  const std::size_t element_bytes = H5Tget_size(type);
  const auto bytes = product(dims, element_bytes);
  const auto chunk_bytes = product(chunk_dims(properties, dims.size()), element_bytes);
  const auto held = most_bytes_held(dataset);
  const bool fits = bytes && held && *bytes <= *held && chunk_bytes && *chunk_bytes <= *held;
  if (bytes != std::uint64_t{0} && !fits) refuse(place, "declares more rows than the file holds");
  return {std::move(dataset), std::move(type), std::move(dims), element_bytes};
}

std::vector<std::int64_t> read_integers(const OpenDataset& open, const DatasetPlace& place) {
  if (H5Tget_class(open.type) != H5T_INTEGER) refuse(place, "does not hold integers");
  std::vector<std::int64_t> values(open.elements());
  if (values.empty()) return values;
  h5_check(H5Dread(open.dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
           "H5Dread " + place.name);
  return values;
}

std::vector<std::string> read_texts(const OpenDataset& open, const DatasetPlace& place) {
  if (H5Tget_class(open.type) != H5T_STRING) refuse(place, "does not hold text");
  if (open.elements() == 0) return {};
  if (h5_check(H5Tis_variable_str(open.type), "H5Tis_variable_str") > 0) {
    return read_variable_texts(open, place);
  }
  return read_fixed_texts(open, place);
}

H5Handle half_type() {
  H5Handle type(H5Tcopy(H5T_IEEE_F32LE), H5Tclose, "H5Tcopy");
  h5_check(H5Tset_fields(type, 15, 10, 5, 0, 10), "H5Tset_fields");
  h5_check(H5Tset_size(type, 2), "H5Tset_size");
  h5_check(H5Tset_ebias(type, 15), "H5Tset_ebias");
  return type;
}

bool holds_floats(const OpenDataset& open) {
  const auto half = half_type();
  for (const hid_t type :
       {static_cast<hid_t>(half), H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_IEEE_F32BE, H5T_IEEE_F64BE}) {
    if (h5_check(H5Tequal(open.type, type), "H5Tequal") > 0) return true;
  }
  return false;
}

void read_rows(const OpenDataset& open, const DatasetPlace& place, hid_t memory_type,
               std::size_t value_bytes, std::size_t piece_bytes, std::vector<std::byte>& rows,
               hsize_t& next_row, const std::function<void()>& take) {
  if (open.elements() == 0) return;
  const auto row_bytes = open.elements() / open.dims[0] * value_bytes;
  const H5Handle properties(H5Dget_create_plist(open.dataset), H5Pclose, "H5Dget_create_plist");
  const auto chunk = chunk_dims(properties, open.dims.size());
  const hsize_t together = chunk.empty() ? 1 : chunk[0];
  const auto groups = std::max<hsize_t>(piece_bytes / row_bytes / together, 1);
  const auto at_once = std::min(open.dims[0], groups * together);
  for (auto count = open.dims; next_row < open.dims[0]; next_row += count[0]) {
    count[0] = std::min(at_once, open.dims[0] - next_row);
    rows.resize(count[0] * row_bytes);
    RowSelection(open.dataset, next_row, count).read(memory_type, rows.data(), place.name);
    take();
  }
}

}  // namespace moesweep::store
