#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/engine/store/hidden_cache.hpp>

#include "hidden_cache_check.hpp"
#include "hidden_cache_frames.hpp"
#include "hidden_cache_layout.hpp"
#include "hidden_cache_states.hpp"

namespace moesweep::store {
namespace {

using records::HiddenCacheInfo;
using Shape = std::vector<std::int64_t>;

constexpr std::size_t hash_piece_bytes = std::size_t{8} << 20;

[[noreturn]] void refuse(const std::string& file_name, const std::string& name,
                         const std::string& problem, const std::string& remedy) {
  throw Error(ExitCode::bad_input, fmt::format("{}:/{}", file_name, name), problem, remedy);
}

// What a dataset of states must look like; hidden_dim is taken from the first one that is asked
// about when the file does not tell it.
void check_shape(HiddenCacheInfo& info, std::int64_t tokens, const std::string& layer,
                 const std::string& name, const Shape& shape, const std::string& file_name) {
  if (info.hidden_dim == 0 && !shape.empty()) info.hidden_dim = shape.back();
  Shape expected{info.samples, info.hidden_dim};
  if (name == layout::span_mean) expected = {info.samples, info.spans, info.hidden_dim};
  if (name == layout::states) expected = {tokens, info.hidden_dim};
  if (shape == expected && info.hidden_dim > 0 && info.samples > 0) return;
  refuse(file_name, layer + "/" + name,
         fmt::format("has shape [{}], [{}] was expected", fmt::join(shape, ", "),
                     fmt::join(expected, ", ")),
         "states are [samples, d], span_mean [samples, spans, d], token states [tokens, d]");
}

std::vector<std::string> order_layers(std::vector<std::string> found,
                                      const std::vector<std::string>& named,
                                      const std::string& file_name) {
  std::ranges::sort(found, is_before_by_number);
  if (named.empty()) return found;
  const std::set<std::string> there(found.begin(), found.end());
  const std::set<std::string> listed(named.begin(), named.end());
  const auto remedy = "the attribute layer_names lists the groups of states, bottom first";
  for (const auto& name : named) {
    if (!there.contains(name))
      refuse(file_name, name, "is in layer_names, not in the file", remedy);
  }
  for (const auto& name : found) {
    if (!listed.contains(name)) refuse(file_name, name, "is not in layer_names", remedy);
  }
  if (named.size() != found.size()) {
    throw Error(ExitCode::bad_input, file_name, "layer_names lists a layer twice", remedy);
  }
  return named;
}

std::int64_t tokens_of(const std::vector<std::int64_t>& offsets) {
  return offsets.empty() ? 0 : offsets.back();
}

void stream_finite(const StatesPlace& place, const char* row_name, const TakeStates& take) {
  const auto rows = checked_cast<std::size_t>(place.shape.front());
  const StateRows as_rows{place.values() / rows, row_name, place.dataset, place.file.string()};
  std::size_t taken = 0;
  stream_states(place, [&](std::span<const float> values) {
    check_finite(values, taken, as_rows);
    taken += values.size();
    take(values);
  });
}

}  // namespace

HiddenCache::HiddenCache(std::filesystem::path path) : path_(std::move(path)) {
  const auto file_name = path_.string();
  // In a process of its own, and once more on what came out of it.
  auto contents = read_contents(path_, [&](hid_t file) {
    CacheContents read;
    read.info = layout::read_samples(file, file_name);
    check_samples(read.info, file_name);
    read.shapes = layout::read_shapes(file, file_name);
    read.skills = layout::read_skills(file, file_name, read.info.samples);
    read.token_offsets = layout::read_offsets(file, file_name, read.info);
    return read;
  });
  check_samples(contents.info, file_name);
  if (!contents.token_offsets.empty()) {
    layout::check_offsets(contents.token_offsets, contents.info, file_name);
  }
  info_ = std::move(contents.info);
  skills_ = std::move(contents.skills);
  token_offsets_ = std::move(contents.token_offsets);
  const auto& shapes = contents.shapes;
  info_.variant = path_.stem().string();
  std::vector<std::string> found;
  for (const auto& [name, layer] : shapes.layers) {
    found.push_back(name);
    for (const auto& [dataset, shape] : layer.datasets) {
      check_shape(info_, tokens_of(token_offsets_), name, dataset, shape, file_name);
      add(name, dataset, path_);
    }
  }
  add_token_file();
  for (const auto& [name, layer] : layers_) {
    if (!shapes.layers.contains(name)) found.push_back(name);
  }
  info_.layers = order_layers(std::move(found), shapes.layer_names, file_name);
  if (layers_.empty()) {
    throw Error(ExitCode::bad_input, file_name, "holds no states",
                "write them as /<layer>/<pooling> [samples, d]");
  }
}

void HiddenCache::add(const std::string& layer, const std::string& dataset,
                      const std::filesystem::path& file) {
  auto& entry = layers_[layer];
  if (dataset == layout::states) {
    entry.tokens = file;
  } else if (dataset == layout::span_mean) {
    entry.span_means = true;
  } else {
    entry.poolings.push_back(dataset);
  }
}

void HiddenCache::add_token_file() {
  const auto beside = path_.parent_path() / (info_.variant + "_tokens.h5");
  if (!std::filesystem::exists(status_of(beside, ExitCode::bad_input))) return;
  const auto file_name = beside.string();
  if (!token_offsets_.empty()) {
    throw Error(ExitCode::bad_input, file_name, "token states are here and in " + path_.string(),
                "remove one of them");
  }
  auto contents = read_contents(beside, [&](hid_t file) {
    CacheContents read;
    read.shapes = layout::read_shapes(file, file_name);
    read.token_offsets = layout::read_offsets(file, file_name, info_);
    return read;
  });
  token_offsets_ = std::move(contents.token_offsets);
  if (token_offsets_.empty()) {
    refuse(file_name, layout::offsets, "is missing", "write the first token of each sample");
  }
  layout::check_offsets(token_offsets_, info_, file_name);
  tokens_path_ = beside;
  for (const auto& [layer, content] : contents.shapes.layers) {
    for (const auto& [dataset, shape] : content.datasets) {
      if (dataset != layout::states) continue;
      check_shape(info_, tokens_of(token_offsets_), layer, dataset, shape, file_name);
      add(layer, dataset, beside);
    }
  }
}

const HiddenCache::Layer* HiddenCache::find_layer(const std::string& layer) const {
  const auto found = layers_.find(layer);
  return found == layers_.end() ? nullptr : &found->second;
}

bool HiddenCache::has_pooled(const std::string& layer, const std::string& pooling) const {
  const auto* found = find_layer(layer);
  return found != nullptr && std::ranges::find(found->poolings, pooling) != found->poolings.end();
}

std::vector<std::string> HiddenCache::poolings(const std::string& layer) const {
  const auto* found = find_layer(layer);
  return found == nullptr ? std::vector<std::string>{} : found->poolings;
}

bool HiddenCache::has_span_means(const std::string& layer) const {
  const auto* found = find_layer(layer);
  return found != nullptr && found->span_means;
}

bool HiddenCache::has_token_states(const std::string& layer) const {
  const auto* found = find_layer(layer);
  return found != nullptr && !found->tokens.empty();
}

HiddenCache::Dataset HiddenCache::pooled_states(const std::string& layer,
                                                const std::string& pooling) const {
  require(has_pooled(layer, pooling), layer, pooling);
  return {path_, layer + "/" + pooling, {info_.samples, info_.hidden_dim}, "sample"};
}

HiddenCache::Dataset HiddenCache::span_states(const std::string& layer) const {
  require(has_span_means(layer), layer, layout::span_mean);
  return {path_,
          fmt::format("{}/{}", layer, layout::span_mean),
          {info_.samples, info_.spans, info_.hidden_dim},
          "sample"};
}

HiddenCache::Dataset HiddenCache::states_of_tokens(const std::string& layer) const {
  require(has_token_states(layer), layer, layout::states);
  return {find_layer(layer)->tokens,
          fmt::format("{}/{}", layer, layout::states),
          {tokens_of(token_offsets_), info_.hidden_dim},
          "token"};
}

std::vector<float> HiddenCache::read(const Dataset& dataset) {
  const StatesPlace place{dataset.file, dataset.name, dataset.shape};
  std::vector<float> states;
  states.reserve(place.values());
  stream_finite(place, dataset.row_name, [&](std::span<const float> values) {
    states.insert(states.end(), values.begin(), values.end());
  });
  return states;
}

void HiddenCache::check(const Dataset& dataset) {
  stream_finite({dataset.file, dataset.name, dataset.shape}, dataset.row_name,
                [](std::span<const float>) {});
}

void HiddenCache::require(bool has, const std::string& layer, const std::string& dataset) const {
  if (has) return;
  std::vector<std::string> known;
  for (const auto& name : info_.layers) {
    for (const auto& pooling : poolings(name)) known.push_back(name + "/" + pooling);
    if (has_span_means(name)) known.push_back(fmt::format("{}/{}", name, layout::span_mean));
    if (has_token_states(name)) known.push_back(fmt::format("{}/{}", name, layout::states));
  }
  refuse(path_.string(), layer + "/" + dataset, "is not in the cache",
         fmt::format("it has {}", fmt::join(known, " ")));
}

std::vector<float> HiddenCache::pooled(const std::string& layer, const std::string& pooling) const {
  return read(pooled_states(layer, pooling));
}

std::vector<float> HiddenCache::span_means(const std::string& layer) const {
  return read(span_states(layer));
}

records::TokenStates HiddenCache::token_states(const std::string& layer) const {
  auto states = read(states_of_tokens(layer));
  return {checked_cast<std::int64_t>(token_offsets_.size()) - 1, token_offsets_, std::move(states)};
}

void HiddenCache::check_pooled(const std::string& layer, const std::string& pooling) const {
  check(pooled_states(layer, pooling));
}

void HiddenCache::check_span_means(const std::string& layer) const {
  check(span_states(layer));
}

void HiddenCache::check_token_states(const std::string& layer) const {
  check(states_of_tokens(layer));
}

Hash128 HiddenCache::content_hash() const {
  Hasher128 hasher;
  std::vector<std::byte> piece(hash_piece_bytes);
  for (const auto& path : {path_, tokens_path_}) {
    if (path.empty()) continue;
    const auto file = open_for_reading(path);
    const auto bytes = file_size(file, path);
    for (std::uint64_t at = 0; at < bytes; at += piece.size()) {
      const auto part = std::span(piece).first(std::min<std::uint64_t>(piece.size(), bytes - at));
      read_exactly(file, at, part, path);
      hasher.add(part);
    }
  }
  return hasher.finish();
}

}  // namespace moesweep::store
