#include <bit>
#include <charconv>
#include <new>

#include <fmt/format.h>
#include <xxhash.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/hash.hpp>

static_assert(std::endian::native == std::endian::little,
              "files and digests are little-endian; a big-endian port needs byte swaps here");

namespace moesweep {
namespace {

Hash128 canonical(XXH128_hash_t hash) {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, hash);
  Hash128 out;
  std::copy(std::begin(bytes.digest), std::end(bytes.digest), out.bytes.begin());
  return out;
}

}  // namespace

std::string Hash128::hex() const {
  std::string out;
  for (const auto byte : bytes) out += fmt::format("{:02x}", byte);
  return out;
}

std::optional<Hash128> parse_hash128(std::string_view hex) {
  Hash128 hash;
  if (hex.size() != 2 * hash.bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < hash.bytes.size(); ++i) {
    const auto digits = hex.substr(2 * i, 2);
    std::from_chars(digits.data(), digits.data() + digits.size(), hash.bytes[i], 16);
  }
  if (hash.hex() != hex) return std::nullopt;
  return hash;
}

std::uint64_t hash64(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::uint64_t hash64(std::string_view text) {
  return XXH3_64bits(text.data(), text.size());
}

Hash128 hash128(std::span<const std::byte> bytes) {
  return canonical(XXH3_128bits(bytes.data(), bytes.size()));
}

struct Hasher128::State {
  XXH3_state_t* xxh = XXH3_createState();
  ~State() { XXH3_freeState(xxh); }
};

Hasher128::Hasher128() : state_(std::make_unique<State>()) {
  if (state_->xxh == nullptr) throw std::bad_alloc();
  expect(XXH3_128bits_reset(state_->xxh) == XXH_OK, "XXH3 reset");
}

Hasher128::~Hasher128() = default;

void Hasher128::add(std::span<const std::byte> bytes) {
  expect(XXH3_128bits_update(state_->xxh, bytes.data(), bytes.size()) == XXH_OK, "XXH3 update");
}

void Hasher128::add_text(std::string_view text) {
  const std::uint64_t length = text.size();
  add(std::as_bytes(std::span(&length, 1)));
  add(std::as_bytes(std::span(text)));
}

Hash128 Hasher128::finish() const {
  return canonical(XXH3_128bits_digest(state_->xxh));
}

}  // namespace moesweep
