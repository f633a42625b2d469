#include "shard_size.hpp"

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/text.hpp>

namespace moesweep::cli {

std::int64_t shard_bytes_of(const std::string& text) {
  const auto bytes = parse_size(text);
  if (bytes && *bytes >= 1) return *bytes;
  throw Error(ExitCode::bad_usage, "--shard-size", "is not a size: " + printable(text),
              "write for example 4GiB");
}

}  // namespace moesweep::cli
