#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/base/cast.hpp>
#include <moesweep/base/error.hpp>
#include <moesweep/base/file.hpp>
#include <moesweep/base/float16.hpp>
#include <moesweep/base/temporary_files.hpp>
#include <moesweep/store/hidden_cache.hpp>

#include "hdf5_create.hpp"
#include "hdf5_file.hpp"
#include "hdf5_table.hpp"
#include "hidden_cache_check.hpp"
#include "hidden_cache_layout.hpp"

namespace moesweep::store {
namespace {

using records::HiddenCacheInfo;
using Dims = std::vector<hsize_t>;

constexpr hsize_t chunk_bytes = hsize_t{1} << 18;

// Whole rows, so that a reader of some samples unpacks little else.
Dims chunk_of(const Dims& dims, std::size_t element_bytes) {
  if (std::ranges::find(dims, hsize_t{0}) != dims.end()) return {};
  hsize_t row_bytes = element_bytes;
  for (std::size_t i = 1; i < dims.size(); ++i) row_bytes *= dims[i];
  auto chunk = dims;
  chunk[0] = std::clamp<hsize_t>(chunk_bytes / row_bytes, 1, dims[0]);
  return chunk;
}

void write_dataset(hid_t file, const std::string& name, hid_t type, std::size_t element_bytes,
                   const Dims& dims, const void* data) {
  create_dataset(file, name, type, dims, chunk_of(dims, element_bytes), data)
      .close("H5Dclose " + name);
}

void write_texts(hid_t file, const std::string& name, const std::vector<std::string>& texts) {
  const auto padded = pad(texts);
  write_dataset(file, name, text_type(padded.length), padded.length, {texts.size()},
                padded.bytes.data());
}

void write_root(hid_t file, const HiddenCacheInfo& info) {
  if (!info.model.empty()) write_attribute(file, "model", info.model);
  write_attribute(file, "variant", info.variant);
  write_int64_attribute(file, "bits", info.bits);
  write_int64_attribute(file, "group_size", info.group_size);
  if (info.model_bytes > 0) write_int64_attribute(file, "model_bytes", info.model_bytes);
  write_int64_attribute(file, "hidden_dim", info.hidden_dim);
  write_int64_attribute(file, "layers", checked_cast<std::int64_t>(info.layers.size()));
  write_attribute(file, "layer_names", fmt::format("{}", fmt::join(info.layers, ",")));
  write_attribute(file, "label_names", fmt::format("{}", fmt::join(info.label_names, ",")));
  write_attribute(file, "split_names", fmt::format("{}", fmt::join(records::split_names, ",")));
}

void write_samples(hid_t file, const HiddenCacheInfo& info) {
  const auto samples = checked_cast<hsize_t>(info.samples);
  const auto spans = checked_cast<hsize_t>(info.spans);
  const auto bytes = [&](const char* name, const Dims& dims, const auto& values) {
    write_dataset(file, name, H5T_STD_I8LE, 1, dims, values.data());
  };
  const auto words = [&](const char* name, const Dims& dims, const auto& values) {
    write_dataset(file, name, H5T_STD_I32LE, 4, dims, values.data());
  };
  bytes(layout::labels, {samples}, info.label);
  bytes(layout::split, {samples}, info.split);
  write_texts(file, layout::sample_id, info.sample_id);
  if (!info.cluster.empty()) write_texts(file, layout::cluster, info.cluster);
  if (!info.n_tokens.empty()) words(layout::n_tokens, {samples}, info.n_tokens);
  if (info.spans == 0) return;
  bytes(layout::cited, {samples, spans}, info.cited);
  words(layout::span_tokens, {samples, spans, 2}, info.span_tokens);
}

void write_extras(hid_t file, const CacheExtras& extras) {
  if (!extras.skills.empty()) create_group(file, layout::skills).close("H5Gclose skills");
  for (const auto& [name, classes] : extras.skills) {
    write_dataset(file, fmt::format("{}/{}", layout::skills, name), H5T_STD_I8LE, 1,
                  {classes.size()}, classes.data());
  }
  if (extras.token_offsets.empty()) return;
  write_dataset(file, layout::offsets, H5T_STD_I64LE, 8, {extras.token_offsets.size()},
                extras.token_offsets.data());
}

// Nothing when one of the values needs more than a half.
std::vector<std::uint16_t> halves_of(const std::vector<float>& values) {
  std::vector<std::uint16_t> halves;
  halves.reserve(values.size());
  for (const auto value : values) {
    const auto half = exact_half(value);
    if (!half) return {};
    halves.push_back(*half);
  }
  return halves;
}

Dims dims_of(const CacheStates& states, const HiddenCacheInfo& info, const CacheExtras& extras) {
  const auto name = states.dataset.substr(states.dataset.find('/') + 1);
  const auto d = checked_cast<hsize_t>(info.hidden_dim);
  const auto samples = checked_cast<hsize_t>(info.samples);
  if (name == layout::span_mean) return {samples, checked_cast<hsize_t>(info.spans), d};
  if (name != layout::states) return {samples, d};
  if (extras.token_offsets.empty()) {
    throw Error(ExitCode::bad_input, states.dataset, "are token states without offsets",
                "give the first token of each sample");
  }
  return {checked_cast<hsize_t>(extras.token_offsets.back()), d};
}

void write_states(OutputFile& file, const CacheStates& states, const Dims& dims,
                  const std::string& file_name) {
  const auto values = states.make();
  hsize_t count = 1;
  for (const auto dim : dims) count *= dim;
  if (values.size() != count) {
    throw Error(ExitCode::bad_input, fmt::format("{}:/{}", file_name, states.dataset),
                fmt::format("{} values are not [{}]", values.size(), fmt::join(dims, ", ")));
  }
  check_finite(values, dims[0], states.dataset.ends_with("/states") ? "token" : "sample",
               states.dataset, file_name);
  const auto halves = halves_of(values);
  file.step([&](hid_t id) {
    const auto layer = states.dataset.substr(0, states.dataset.find('/'));
    if (!has_object(id, layer, file_name)) create_group(id, layer).close("H5Gclose " + layer);
    if (halves.empty()) {
      write_dataset(id, states.dataset, H5T_IEEE_F32LE, 4, dims, values.data());
    } else {
      write_dataset(id, states.dataset, half_type(), 2, dims, halves.data());
    }
  });
}

}  // namespace

std::int64_t write_hidden_cache(const std::filesystem::path& path, const HiddenCacheInfo& info,
                                std::span<const CacheStates> states, const CacheExtras& extras) {
  const auto file_name = path.string();
  check_samples(info, file_name);
  if (!extras.token_offsets.empty()) {
    layout::check_offsets(extras.token_offsets, info, file_name);
  }
  remove_abandoned(path.parent_path());
  FilePublisher publisher(path);
  OutputFile file(publisher.temporary());
  file.step([&](hid_t id) {
    write_root(id, info);
    write_samples(id, info);
    write_extras(id, extras);
  });
  for (const auto& one : states) write_states(file, one, dims_of(one, info, extras), file_name);
  file.close();
  const auto bytes = std::filesystem::file_size(publisher.temporary());
  publisher.publish();
  return checked_cast<std::int64_t>(bytes);
}

}  // namespace moesweep::store
