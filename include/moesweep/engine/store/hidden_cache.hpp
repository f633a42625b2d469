#pragma once
// Caches of hidden states on disk: one HDF5 file a model variant (docs/hidden-caches.md).

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <moesweep/core/base/hash.hpp>
#include <moesweep/core/records/hidden_cache.hpp>

namespace moesweep::store {

/// A cache, opened for reading. Opening reads and checks everything but the states; those are read,
/// and checked for NaN and infinities, each time they are asked for. Every way in which a file can
/// be wrong is Error(bad_input) naming file and dataset. HDF5 reads in a process of its own, which
/// holds at most 1 GiB; what is read beside states is at most as much. Safe to use from many
/// threads at once.
///
/// Token states come from the cache itself or from `<variant>_tokens.h5` beside it.
class HiddenCache {
 public:
  explicit HiddenCache(std::filesystem::path path);

  const records::HiddenCacheInfo& info() const { return info_; }
  const std::filesystem::path& path() const { return path_; }

  bool has_pooled(const std::string& layer, const std::string& pooling) const;
  /// By name; empty for a layer without pooled states and for one that is not in the cache.
  std::vector<std::string> poolings(const std::string& layer) const;
  bool has_span_means(const std::string& layer) const;
  bool has_token_states(const std::string& layer) const;

  /// [N, d]. Asking for what the cache does not have is Error(bad_input), here and below.
  std::vector<float> pooled(const std::string& layer, const std::string& pooling) const;
  /// [N, S, d].
  std::vector<float> span_means(const std::string& layer) const;
  records::TokenStates token_states(const std::string& layer) const;

  /// Read and check the same without keeping it.
  void check_pooled(const std::string& layer, const std::string& pooling) const;
  void check_span_means(const std::string& layer) const;
  void check_token_states(const std::string& layer) const;

  /// Of `/skills/<name>`, by name: a class for each sample [N].
  const std::vector<std::pair<std::string, std::vector<std::int8_t>>>& skills() const {
    return skills_;
  }

  /// XXH3-128 over all bytes of the cache and, where there is one, of its file of token states.
  Hash128 content_hash() const;

 private:
  struct Layer {
    std::vector<std::string> poolings;
    bool span_means = false;
    std::filesystem::path tokens;  ///< the file that has them; empty when none has
  };
  const Layer* find_layer(const std::string& layer) const;
  void add(const std::string& layer, const std::string& dataset, const std::filesystem::path& file);
  void add_token_file();
  void require(bool has, const std::string& layer, const std::string& dataset) const;
  struct Dataset {
    std::filesystem::path file;
    std::string name;
    std::vector<std::int64_t> shape;
    const char* row_name;
  };
  Dataset pooled_states(const std::string& layer, const std::string& pooling) const;
  Dataset span_states(const std::string& layer) const;
  Dataset states_of_tokens(const std::string& layer) const;
  static std::vector<float> read(const Dataset& dataset);
  static void check(const Dataset& dataset);

  std::filesystem::path path_;
  std::filesystem::path tokens_path_;  ///< empty when there is no such file
  records::HiddenCacheInfo info_;
  std::map<std::string, Layer> layers_;
  std::vector<std::int64_t> token_offsets_;  ///< [samples with token states + 1] or empty
  std::vector<std::pair<std::string, std::vector<std::int8_t>>> skills_;
};

/// Variants of one job must hold the same samples: ids in the same order, labels and their names,
/// splits, spans and citations. Error(bad_input) naming both files and the first difference.
void require_same_samples(std::span<const records::HiddenCacheInfo* const> variants);

/// States to be written, in pieces and in order: no array is in memory as a whole. They are asked
/// for twice: for what they hold, and to be written.
struct CacheStates {
  std::string dataset;  ///< "L1/mean" [N, d], "L1/span_mean" [N, S, d], "L1/states" [tokens, d]
  std::function<void(const std::function<void(std::span<const float>)>& take)> for_each_piece;
};

/// Beside `info`: what only some caches have.
struct CacheExtras {
  std::vector<std::int64_t> token_offsets;  ///< [samples with token states + 1]
  std::vector<std::pair<std::string, std::vector<std::int8_t>>> skills;
};

/// Why no cache has a dataset of states or skills under this name, as a predicate; empty for
/// "L1/mean" and "skills/tone". A name is a path in HDF5, which looks past "." and empty parts.
std::string problem_with_dataset_name(std::string_view name);

/// Writes a cache that HiddenCache accepts; states as float16 where that loses nothing, else as
/// float32. The file appears at once and whole, and survives a power cut once this returns. Throws
/// Error(bad_input) for what a HiddenCache would refuse (nothing is published then) and
/// Error(io_error). Returns the bytes of the file.
std::int64_t write_hidden_cache(const std::filesystem::path& path,
                                const records::HiddenCacheInfo& info,
                                std::span<const CacheStates> states,
                                const CacheExtras& extras = {});

}  // namespace moesweep::store
