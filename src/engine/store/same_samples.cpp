#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/engine/store/hidden_cache.hpp>

namespace moesweep::store {
namespace {

using records::HiddenCacheInfo;

std::string file_of(const HiddenCacheInfo& info) {
  return info.variant + ".h5";
}

[[noreturn]] void differ(const HiddenCacheInfo& first, const HiddenCacheInfo& other,
                         const std::string& difference) {
  throw Error(ExitCode::bad_input, file_of(other),
              fmt::format("holds other samples than {}: {}", file_of(first), difference),
              "variants of one job need the same samples in the same order");
}

/// `values` holds equally many for each sample.
template <typename Values>
void require_equal(const HiddenCacheInfo& first, const HiddenCacheInfo& other, const char* what,
                   const Values& values_first, const Values& values_other) {
  if (values_first == values_other) return;
  if (values_first.size() != values_other.size()) {
    differ(first, other, fmt::format("one of them has no {}", what));
  }
  std::size_t at = 0;
  while (values_first[at] == values_other[at]) ++at;
  const auto sample = at / (values_first.size() / first.sample_id.size());
  differ(first, other,
         fmt::format("{} of sample {} (\"{}\") is {}, not {}", what, sample,
                     first.sample_id[sample], values_other[at], values_first[at]));
}

void require_same(const HiddenCacheInfo& first, const HiddenCacheInfo& other) {
  if (first.samples != other.samples) {
    differ(first, other, fmt::format("{} samples, not {}", other.samples, first.samples));
  }
  if (first.spans != other.spans) {
    differ(first, other, fmt::format("{} spans a sample, not {}", other.spans, first.spans));
  }
  if (first.label_names != other.label_names) {
    differ(first, other,
           fmt::format("labels {}, not {}", fmt::join(other.label_names, ","),
                       fmt::join(first.label_names, ",")));
  }
  require_equal(first, other, "id", first.sample_id, other.sample_id);
  require_equal(first, other, "label", first.label, other.label);
  require_equal(first, other, "split", first.split, other.split);
  require_equal(first, other, "cluster", first.cluster, other.cluster);
  require_equal(first, other, "number of tokens", first.n_tokens, other.n_tokens);
  require_equal(first, other, "span", first.span_tokens, other.span_tokens);
  require_equal(first, other, "citation", first.cited, other.cited);
}

}  // namespace

void require_same_samples(std::span<const HiddenCacheInfo* const> variants) {
  for (std::size_t v = 1; v < variants.size(); ++v) require_same(*variants[0], *variants[v]);
}

}  // namespace moesweep::store
