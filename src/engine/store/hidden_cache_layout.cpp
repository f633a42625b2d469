#include "hidden_cache_layout.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/text.hpp>

#include "hdf5_table.hpp"

namespace moesweep::store::layout {
namespace {

using records::HiddenCacheInfo;

DatasetPlace place_of(const std::string& file_name, std::string name) {
  return {file_name, std::move(name), "dataset"};
}

[[noreturn]] void refuse_dataset(const std::string& file_name, const std::string& dataset,
                                 const std::string& problem, const std::string& remedy) {
  throw Error(ExitCode::bad_input, fmt::format("{}:/{}", file_name, dataset), problem, remedy);
}

std::vector<std::int64_t> shape_of(const OpenDataset& open) {
  std::vector<std::int64_t> shape;
  for (const auto dim : open.dims) shape.push_back(checked_cast<std::int64_t>(dim));
  return shape;
}

// `expected` may hold -1 for any size.
OpenDataset open_shaped(hid_t file, const DatasetPlace& place,
                        const std::vector<std::int64_t>& expected) {
  auto open = open_dataset(file, place);
  const bool equal = std::ranges::equal(open.dims, expected, [](hsize_t have, std::int64_t want) {
    return want < 0 || std::cmp_equal(have, want);
  });
  if (!equal) {
    std::vector<std::string> sizes;
    for (const auto size : expected) sizes.push_back(size < 0 ? "any" : std::to_string(size));
    refuse_dataset(place.file_name, place.name,
                   fmt::format("has shape [{}], [{}] was expected", fmt::join(shape_of(open), ", "),
                               fmt::join(sizes, ", ")),
                   "every dataset holds the same samples, spans and hidden dimensions");
  }
  return open;
}

template <typename Value>
std::vector<Value> read_as(hid_t file, const DatasetPlace& place,
                           const std::vector<std::int64_t>& expected) {
  const auto wide = read_integers(open_shaped(file, place, expected), place);
  std::vector<Value> values;
  values.reserve(wide.size());
  for (const auto value : wide) {
    if (!std::in_range<Value>(value)) {
      refuse_dataset(place.file_name, place.name, fmt::format("holds {}", value),
                     fmt::format("values lie between {} and {}", std::numeric_limits<Value>::min(),
                                 std::numeric_limits<Value>::max()));
    }
    values.push_back(static_cast<Value>(value));
  }
  return values;
}

std::vector<std::string> names_attribute(hid_t file, const std::string& name) {
  return split_text(read_attribute(file, name).value_or(""), ',');
}

LayerShapes read_layer(hid_t file, const std::string& layer, const std::string& file_name) {
  const H5Handle group(H5Gopen2(file, layer.c_str(), H5P_DEFAULT), H5Gclose, "H5Gopen " + layer);
  LayerShapes shapes;
  for (const auto& name : names_in(group)) {
    const auto dataset = layer + "/" + name;
    const auto open = open_dataset(file, place_of(file_name, dataset));
    if (!holds_floats(open)) {
      refuse_dataset(file_name, dataset, "does not hold float16, float32 or float64",
                     "convert the states to one of these");
    }
    shapes.datasets.emplace(name, shape_of(open));
  }
  return shapes;
}

bool is_group(hid_t file, const std::string& name) {
  const H5Handle object(H5Oopen(file, name.c_str(), H5P_DEFAULT), H5Oclose, "H5Oopen " + name);
  return H5Iget_type(object) == H5I_GROUP;
}

void read_spans(hid_t file, const std::string& file_name, HiddenCacheInfo& info) {
  const auto has = [&](const char* name) { return has_object(file, name, file_name); };
  if (has(n_tokens)) {
    info.n_tokens = read_as<std::int32_t>(file, place_of(file_name, n_tokens), {info.samples});
  }
  if (!has(cited) && !has(span_tokens)) return;
  const auto open = open_shaped(file, place_of(file_name, cited), {info.samples, -1});
  info.spans = checked_cast<std::int64_t>(open.dims[1]);
  info.cited = read_as<std::int8_t>(file, place_of(file_name, cited), {info.samples, info.spans});
  info.span_tokens =
      read_as<std::int32_t>(file, place_of(file_name, span_tokens), {info.samples, info.spans, 2});
}

std::vector<std::string> numbered_labels(const std::vector<std::int8_t>& labels) {
  std::vector<std::string> names;
  const int last = labels.empty() ? -1 : *std::ranges::max_element(labels);
  for (int label = 0; label <= last; ++label) names.push_back(std::to_string(label));
  return names;
}

}  // namespace

FileShapes read_shapes(hid_t file, const std::string& file_name) {
  FileShapes shapes;
  shapes.layer_names = names_attribute(file, "layer_names");
  for (const auto& name : names_in(file)) {
    if (name == skills || !has_object(file, name, file_name) || !is_group(file, name)) continue;
    shapes.layers.emplace(name, read_layer(file, name, file_name));
  }
  return shapes;
}

HiddenCacheInfo read_samples(hid_t file, const std::string& file_name) {
  HiddenCacheInfo info;
  info.model = read_attribute(file, "model").value_or("");
  info.bits = read_int64_attribute(file, "bits").value_or(0);
  info.group_size = read_int64_attribute(file, "group_size").value_or(0);
  info.model_bytes = read_int64_attribute(file, "model_bytes").value_or(0);
  info.hidden_dim = read_int64_attribute(file, "hidden_dim").value_or(0);
  info.label = read_as<std::int8_t>(file, place_of(file_name, labels), {-1});
  info.samples = checked_cast<std::int64_t>(info.label.size());
  info.label_names = names_attribute(file, "label_names");
  if (info.label_names.empty()) info.label_names = numbered_labels(info.label);
  info.split = read_as<std::int8_t>(file, place_of(file_name, split), {info.samples});
  const auto texts = [&](const char* name) {
    const auto place = place_of(file_name, name);
    return read_texts(open_shaped(file, place, {info.samples}), place);
  };
  info.sample_id = texts(sample_id);
  if (has_object(file, cluster, file_name)) info.cluster = texts(cluster);
  read_spans(file, file_name, info);
  return info;
}

Skills read_skills(hid_t file, const std::string& file_name, std::int64_t samples) {
  Skills read;
  if (!has_object(file, skills, file_name)) return read;
  const H5Handle group(H5Gopen2(file, skills, H5P_DEFAULT), H5Gclose, "H5Gopen skills");
  for (const auto& name : names_in(group)) {
    const auto place = place_of(file_name, fmt::format("{}/{}", skills, name));
    read.emplace_back(name, read_as<std::int8_t>(file, place, {samples}));
  }
  return read;
}

void check_offsets(const std::vector<std::int64_t>& token_offsets, const HiddenCacheInfo& info,
                   const std::string& file_name) {
  const auto refuse_offsets = [&](const std::string& problem) {
    refuse_dataset(
        file_name, offsets, problem,
        "offsets are the first token of each sample, 0 first, the number of tokens last");
  };
  if (token_offsets.size() < 2 || std::cmp_greater(token_offsets.size(), info.samples + 1)) {
    refuse_offsets(
        fmt::format("holds {} offsets for {} samples", token_offsets.size(), info.samples));
  }
  if (token_offsets.front() != 0) refuse_offsets("does not begin with 0");
  for (std::size_t i = 0; i + 1 < token_offsets.size(); ++i) {
    // Not the difference, which may overflow.
    if (token_offsets[i + 1] <= token_offsets[i]) {
      refuse_offsets(fmt::format("does not grow at sample {}", i));
    }
    const auto tokens = token_offsets[i + 1] - token_offsets[i];
    if (!info.n_tokens.empty() && tokens != info.n_tokens[i]) {
      refuse_offsets(fmt::format("gives sample {} (\"{}\") {} tokens, n_tokens is {}", i,
                                 info.sample_id[i], tokens, info.n_tokens[i]));
    }
  }
}

std::vector<std::int64_t> read_offsets(hid_t file, const std::string& file_name,
                                       const HiddenCacheInfo& info) {
  if (!has_object(file, offsets, file_name)) return {};
  auto token_offsets = read_as<std::int64_t>(file, place_of(file_name, offsets), {-1});
  check_offsets(token_offsets, info, file_name);
  if (!has_object(file, spans, file_name)) return token_offsets;
  const auto samples = checked_cast<std::int64_t>(token_offsets.size()) - 1;
  const auto own =
      read_as<std::int32_t>(file, place_of(file_name, spans), {samples, info.spans, 2});
  if (!std::equal(own.begin(), own.end(), info.span_tokens.begin())) {
    refuse_dataset(file_name, spans, "differs from span_tokens of the cache",
                   "write token states of the samples that come first in the cache");
  }
  return token_offsets;
}

}  // namespace moesweep::store::layout
