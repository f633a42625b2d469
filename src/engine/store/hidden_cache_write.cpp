#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/float16.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/temporary_files.hpp>
#include <moesweep/engine/store/hidden_cache.hpp>

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

std::string skill_path(const std::string& name) {
  return fmt::format("{}/{}", layout::skills, name);
}

void write_extras(hid_t file, const CacheExtras& extras) {
  if (!extras.skills.empty()) create_group(file, layout::skills).close("H5Gclose skills");
  for (const auto& [name, classes] : extras.skills) {
    write_dataset(file, skill_path(name), H5T_STD_I8LE, 1, {classes.size()}, classes.data());
  }
  if (extras.token_offsets.empty()) return;
  write_dataset(file, layout::offsets, H5T_STD_I64LE, 8, {extras.token_offsets.size()},
                extras.token_offsets.data());
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

hsize_t product(const Dims& dims) {
  hsize_t count = 1;
  for (const auto dim : dims) count *= dim;
  return count;
}

/// Rows of one dataset, put together to whole chunks.
template <typename Value>
class RowsOut {
 public:
  RowsOut(Hdf5Output& file, const CacheStates& states, Dims dims, hid_t type)
      : file_(file),
        states_(states),
        dims_(std::move(dims)),
        type_(type),
        row_values_(dims_[0] == 0 ? 1 : product(dims_) / dims_[0]) {
    const auto chunk = chunk_of(dims_, sizeof(Value));
    file_.step([&](hid_t id) {
      create_dataset(id, states_.dataset, type_, dims_, chunk, nullptr)
          .close("H5Dclose " + states_.dataset);
    });
    if (chunk.empty()) return;
    const auto chunk_values = chunk[0] * row_values_;
    rows_.reserve(std::max<hsize_t>(piece_values / chunk_values, 1) * chunk_values);
  }

  void put(Value value) {
    rows_.push_back(value);
    if (rows_.size() == rows_.capacity()) write();
  }

  void finish() {
    if (!rows_.empty()) write();
    if (next_row_ != dims_[0]) refuse_change();
  }

  [[noreturn]] void refuse_change() const {
    throw Error(ExitCode::io_error, states_.dataset, "changed while it was read",
                "run the same command again");
  }

 private:
  static constexpr hsize_t piece_values = hsize_t{1} << 20;

  void write() {
    auto count = dims_;
    count[0] = rows_.size() / row_values_;
    if (rows_.size() % row_values_ != 0 || next_row_ + count[0] > dims_[0]) refuse_change();
    file_.step(
        [&](hid_t id) { write_rows(id, states_.dataset, type_, next_row_, count, rows_.data()); });
    next_row_ += count[0];
    rows_.clear();
  }

  Hdf5Output& file_;
  const CacheStates& states_;
  Dims dims_;
  hid_t type_;
  hsize_t row_values_;
  hsize_t next_row_ = 0;
  std::vector<Value> rows_;
};

// The first of two passes: whether all is as it should be, and halves would do.
bool fit_halves(const CacheStates& states, const Dims& dims, const std::string& file_name) {
  const StateRows rows{dims[0] == 0 ? 1 : product(dims) / dims[0],
                       states.dataset.ends_with("/states") ? "token" : "sample", states.dataset,
                       file_name};
  std::size_t count = 0;
  bool halves = true;
  states.for_each_piece([&](std::span<const float> values) {
    check_finite(values, count, rows);
    count += values.size();
    halves = halves &&
             std::ranges::all_of(values, [](float value) { return exact_half(value).has_value(); });
  });
  if (count == product(dims)) return halves;
  throw Error(ExitCode::bad_input, fmt::format("{}:/{}", file_name, states.dataset),
              fmt::format("{} values are not [{}]", count, fmt::join(dims, ", ")));
}

void write_halves(Hdf5Output& file, const CacheStates& states, const Dims& dims, hid_t type) {
  RowsOut<std::uint16_t> rows(file, states, dims, type);
  states.for_each_piece([&](std::span<const float> values) {
    for (const auto value : values) {
      const auto half = exact_half(value);
      if (!half) rows.refuse_change();
      rows.put(*half);
    }
  });
  rows.finish();
}

void write_floats(Hdf5Output& file, const CacheStates& states, const Dims& dims) {
  RowsOut<float> rows(file, states, dims, H5T_IEEE_F32LE);
  states.for_each_piece([&](std::span<const float> values) {
    for (const auto value : values) rows.put(value);
  });
  rows.finish();
}

// A row is one chunk at least, and HDF5 has a few of them in memory.
void require_short_rows(const CacheStates& states, const Dims& dims, const std::string& file_name) {
  constexpr hsize_t most_values = hsize_t{1} << 24;
  const auto row_values = dims[0] == 0 ? 0 : product(dims) / dims[0];
  if (row_values <= most_values) return;
  throw Error(ExitCode::bad_input, fmt::format("{}:/{}", file_name, states.dataset),
              fmt::format("has [{}] values a row, at most {} are written",
                          fmt::join(dims.begin() + 1, dims.end(), ", "), most_values),
              "hidden states are far smaller: check the array");
}

void write_states(Hdf5Output& file, const CacheStates& states, const Dims& dims,
                  const std::string& file_name) {
  require_short_rows(states, dims, file_name);
  const bool halves = fit_halves(states, dims, file_name);
  std::optional<H5Handle> half;
  file.step([&](hid_t id) {
    const auto layer = states.dataset.substr(0, states.dataset.find('/'));
    if (!has_object(id, layer, file_name)) create_group(id, layer).close("H5Gclose " + layer);
    if (halves) half.emplace(half_type());
  });
  if (halves) {
    write_halves(file, states, dims, *half);
  } else {
    write_floats(file, states, dims);
  }
  file.step([&](hid_t) { half.reset(); });
}

}  // namespace

std::int64_t write_hidden_cache(const std::filesystem::path& path, const HiddenCacheInfo& info,
                                std::span<const CacheStates> states, const CacheExtras& extras) {
  const auto file_name = path.string();
  check_samples(info, file_name);
  for (const auto& one : states) check_dataset_name(one.dataset, file_name);
  for (const auto& [name, classes] : extras.skills) check_dataset_name(skill_path(name), file_name);
  if (!extras.token_offsets.empty()) {
    layout::check_offsets(extras.token_offsets, info, file_name);
  }
  remove_abandoned(path.parent_path());
  FilePublisher publisher(path);
  Hdf5Output file(publisher.temporary());
  file.step([&](hid_t id) {
    write_root(id, info);
    write_samples(id, info);
    write_extras(id, extras);
  });
  for (const auto& one : states) write_states(file, one, dims_of(one, info, extras), file_name);
  file.close();
  const auto bytes = size_of_file_at(publisher.temporary()).value_or(0);
  publisher.publish();
  return checked_cast<std::int64_t>(bytes);
}

}  // namespace moesweep::store
