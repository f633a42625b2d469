#pragma once
// One hash for a set of tables: equal digests mean equal results, bit for bit.

#include <moesweep/core/base/hash.hpp>
#include <moesweep/core/records/table.hpp>

namespace moesweep::store {

/// XXH3-128 over the tables that take part in the digest, in catalog order, each as name and
/// row count, then column by column name, type and values in little-endian, texts with their
/// length. All NaNs are one NaN and -0 is 0. Tables without rows count as absent.
Hash128 digest_of(const records::Tables& tables);

}  // namespace moesweep::store
