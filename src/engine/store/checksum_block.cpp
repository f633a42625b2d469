#include "checksum_block.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/hash.hpp>

namespace moesweep::store {

std::string checksum_block(std::span<const std::byte> contents) {
  auto block = fmt::format("moesweep results 1\nbytes {}\nxxh3-128 {}\n", contents.size(),
                           hash128(contents).hex());
  expect(block.size() <= checksum_block_bytes, "a checksum block of three short lines");
  block.resize(checksum_block_bytes, '\0');
  return block;
}

bool matches_checksum_block(std::span<const std::byte> file) {
  if (file.size() < checksum_block_bytes) return false;
  const auto expected = checksum_block(file.subspan(checksum_block_bytes));
  return std::ranges::equal(file.first(checksum_block_bytes), std::as_bytes(std::span(expected)));
}

}  // namespace moesweep::store
