#include <cmath>
#include <limits>
#include <type_traits>

#include <moesweep/core/records/catalog.hpp>
#include <moesweep/engine/store/digest.hpp>

namespace moesweep::store {
namespace {

template <typename Value>
void add_values(Hasher128& hasher, const std::vector<Value>& values) {
  if constexpr (std::is_same_v<Value, std::string>) {
    for (const auto& text : values) hasher.add_text(text);
  } else if constexpr (std::is_same_v<Value, double>) {
    for (const double value : values) {
      const double canonical = std::isnan(value) ? std::numeric_limits<double>::quiet_NaN()
                               : value == 0.0    ? 0.0
                                                 : value;
      hasher.add(std::as_bytes(std::span(&canonical, 1)));
    }
  } else {
    hasher.add(std::as_bytes(std::span(values)));
  }
}

}  // namespace

Hash128 digest_of(const records::Tables& tables) {
  Hasher128 hasher;
  for (const auto* info : records::all_tables()) {
    if (!info->in_digest) continue;
    const auto found = tables.find(info->name);
    if (found == tables.end() || found->second.rows() == 0) continue;
    hasher.add_text(info->name);
    const std::uint64_t rows = found->second.rows();
    hasher.add(std::as_bytes(std::span(&rows, 1)));
    for (std::size_t i = 0; i < info->columns.size(); ++i) {
      hasher.add_text(info->columns[i].name);
      hasher.add_text(records::column_type_name(info->columns[i].type));
      std::visit([&](const auto& values) { add_values(hasher, values); }, found->second.columns[i]);
    }
  }
  return hasher.finish();
}

}  // namespace moesweep::store
