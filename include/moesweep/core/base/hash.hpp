#pragma once
// XXH3 (xxHash 0.8): names of segments, unit ids, the results digest. Not cryptographic: it finds
// torn and rotten files, it does not stop someone who wants to forge one.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace moesweep {

/// 128 bits, canonical (big-endian) byte order.
struct Hash128 {
  std::array<std::uint8_t, 16> bytes{};
  bool operator==(const Hash128&) const = default;
  /// 32 lower-case hex digits.
  std::string hex() const;
};
/// The hash that hex() wrote; nothing for any other text.
std::optional<Hash128> parse_hash128(std::string_view hex);

std::uint64_t hash64(std::span<const std::byte> bytes);
std::uint64_t hash64(std::string_view text);
Hash128 hash128(std::span<const std::byte> bytes);

/// Streaming XXH3-128. Values are fed in little-endian order.
class Hasher128 {
 public:
  Hasher128();
  ~Hasher128();
  Hasher128(const Hasher128&) = delete;
  Hasher128& operator=(const Hasher128&) = delete;

  void add(std::span<const std::byte> bytes);
  /// The length first, so that ("ab","c") and ("a","bc") differ.
  void add_text(std::string_view text);
  Hash128 finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace moesweep
